"""A running Daypass, whatever its topology."""

from dataclasses import dataclass
from pathlib import Path

TOPOLOGIES = ("embedded", "processes", "compose")


@dataclass(frozen=True)
class Replica:
    """A process of a service on this machine: where it answers by itself, and its process id."""

    endpoint: str
    pid: int


@dataclass(frozen=True, kw_only=True)
class Instance:
    """Where it answers, a project, and a key with all scopes. `topology` is one of TOPOLOGIES.

    `redis_url` is for the command line, where tests on this machine can reach it; `replicas` are those of data, where
    they are processes; `invitations` is the folder of the embedded one.
    """

    topology: str
    endpoint: str
    project: str
    key: str
    redis_url: str = ""
    replicas: tuple[Replica, ...] = ()
    invitations: Path | None = None
