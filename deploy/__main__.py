"""`python -m deploy`: what `make up`, `make down` and `make images` call."""

import json
from pathlib import Path

import click

from deploy import backup as backups
from deploy import credentials, dotenv, images
from deploy.engine import DeployFailed, ask, compose_command, need_docker, say, show
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
    endpoint, access, is_new = _start()
    if as_json:
        click.echo(json.dumps({"endpoint": endpoint, "project": access.project, "key": access.key, "pid": None}))
    else:
        click.echo(_in_words(endpoint, access.project, access.key if is_new else f"in {credentials.path()}"))


@main.command()
@click.option("--volumes", is_flag=True, help="Delete the data too.")
def down(*, volumes: bool) -> None:
    """Stop and remove the containers; their data stays, unless --volumes says otherwise."""
    need_docker()
    show(*compose_command(), "down", "--remove-orphans", *(["--volumes"] if volumes else []))
    if volumes:
        credentials.forget()
    else:
        say("the data stays; `make down ARGS=--volumes` deletes it")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, resolve_path=True))
@click.option("--force", is_flag=True, help="Overwrite FILE if it already exists.")
def backup(file: Path, *, force: bool) -> None:
    """Write all data of the containers to FILE while they run. Keep FILE as private as the data.

    FILE cannot sign anybody in: a restore ends all sessions and replaces all signing keys.

    `daypass restore` reads it too.
    """
    if file.exists() and not force:
        raise DeployFailed(f"{file} already exists: choose another name, or say --force")
    need_docker()
    manifest = backups.back_up(file)
    size = sum(content.bytes for content in manifest.files.values())
    click.echo(f"{file} is complete: {size:,} bytes, made {manifest.made_at} by Daypass {manifest.release}")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True, resolve_path=True))
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def restore(context: click.Context, file: Path, *, yes: bool) -> None:
    """Replace all data of the containers by the backup FILE, which is verified first.

    All sessions end, and all signing keys are replaced. FILE comes from `make backup` or from `daypass backup`.
    """
    need_docker()
    with backups.opened(file) as (manifest, dump):
        if not yes:
            question = f"Replace all data by the backup of {manifest.made_at}, and sign everybody out?"
            click.confirm(question, abort=True, err=True)
        context.invoke(prepare)
        replaced = backups.restore(dump)
    endpoint, access, is_new = _start()
    click.echo(f"""\
{_in_words(endpoint, access.project, access.key if is_new else f"in {credentials.path()}")}
{file} is restored. All users must sign in again.
The replaced data are kept as the database {replaced}. To delete them:
  {" ".join(compose_command())} exec postgres dropdb -h /var/run/postgresql {replaced}""")


def _start() -> tuple[str, credentials.Credentials, bool]:
    """Start what does not run, wait until all is healthy; return the endpoint, a project and key, whether new."""
    show(*compose_command(), "up", "-d", "--remove-orphans")
    await_healthy()
    endpoint = f"http://{_address()}/v1"
    return (endpoint, *credentials.ensure(endpoint))


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
