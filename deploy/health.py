"""Waiting until every container of the deployment is healthy."""

import time

from deploy.engine import DeployFailed, ask, compose_command, say

PATIENCE_S = 240
POLL_S = 0.5
FORMAT = (
    '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}}'
    "{{if .State.Health}} {{.State.Health.Status}}{{end}}"
)
HEALTHY = "running healthy"


def await_healthy(*services: str) -> None:
    """Wait for these services, or for all, and report each change.

    Raises `DeployFailed` with the last logs of the services that are not healthy in the end.
    """
    deadline = time.monotonic() + PATIENCE_S
    known: dict[str, str] = {}
    while True:
        states = _states(*services)
        for service, state in sorted(states.items() - known.items()):
            say(f"{service} is {state.split()[-1]}")
        known = states
        if states and set(states.values()) == {HEALTHY}:
            return
        if time.monotonic() > deadline:
            raise DeployFailed(_last_words({service for service, state in states.items() if state != HEALTHY}))
        time.sleep(POLL_S)


def _states(*services: str) -> dict[str, str]:
    containers = ask(*compose_command(), "ps", "-q", *services).split()
    if not containers:
        return {}
    lines = ask("docker", "inspect", "--format", FORMAT, *containers).splitlines()
    return dict(line.split(" ", 1) for line in lines)


def _last_words(services: set[str]) -> str:
    logs = ask(*compose_command(), "logs", "--no-color", "--tail", "20", *sorted(services))
    return f"not healthy after {PATIENCE_S} s: {', '.join(sorted(services)) or 'nothing runs'}\n{logs}"
