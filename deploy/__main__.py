"""`python -m deploy`: what `make up`, `make down` and `make images` call."""

import json

import click

from deploy import credentials, dotenv, images
from deploy.engine import ask, compose_command, need_docker, say, show
from deploy.health import await_healthy

PROJECT_NAME = "COMPOSE_PROJECT_NAME"


@click.group()
def main() -> None:
    """Daypass in containers."""


@main.command(name="images")
def prepare() -> None:
    """Make whatever plain `docker-compose up` needs: base images, our own, secrets, and .env, which names them."""
    need_docker()
    show("deploy/secrets/generate")
    if not dotenv.setting(PROJECT_NAME):
        dotenv.keep(PROJECT_NAME, "daypass")
    images.prepare()


@main.command()
@click.option("--json", "as_json", is_flag=True, help="When ready, one line of JSON on stdout, and nothing else there.")
@click.pass_context
def up(context: click.Context, *, as_json: bool) -> None:
    """Start the containers, wait until all are healthy, and say how to reach them."""
    context.invoke(prepare)
    show(*compose_command(), "up", "-d", "--remove-orphans")
    await_healthy()
    endpoint = f"http://{_address()}/v1"
    found, is_new = credentials.ensure(endpoint)
    if as_json:
        click.echo(json.dumps({"endpoint": endpoint, "project": found.project, "key": found.key, "pid": None}))
    else:
        click.echo(_in_words(endpoint, found.project, found.key if is_new else f"in {credentials.path()}"))


@main.command()
@click.option("--volumes", is_flag=True, help="Delete the data too.")
def down(*, volumes: bool) -> None:
    """Stop and remove the containers; their data stays, unless told otherwise."""
    need_docker()
    show(*compose_command(), "down", "--remove-orphans", *(["--volumes"] if volumes else []))
    if volumes:
        credentials.forget()
    else:
        say("the data stays; `make down ARGS=--volumes` deletes it")


def _address() -> str:
    return ask(*compose_command(), "port", "gateway", "8080").strip()


def _in_words(endpoint: str, project: str, key: str) -> str:
    return f"""\
Daypass is ready; stop it with: make down

  endpoint  {endpoint}
  project   {project}
  key       {key}

Try it:

  set -a; . {credentials.path()}; set +a
  .venv/bin/python docs/examples/birthdays.py
  curl -H "X-Appwrite-Project: $DAYPASS_PROJECT" -H "X-Appwrite-Key: $DAYPASS_KEY" "$DAYPASS_ENDPOINT/users"
"""


if __name__ == "__main__":
    main(prog_name="python -m deploy")
