"""The official JavaScript SDKs, web and server, told as stories; they run where the SDKs are installed."""

import shutil
from pathlib import Path

import pytest
from appwrite.client import Client
from appwrite.id import ID
from appwrite.permission import Permission
from appwrite.role import Role
from appwrite.services.tables_db import TablesDB

from tests.e2e.instance import Instance
from tests.e2e.programs import need_node, run
from tests.e2e.sdk import server

STORIES = Path(__file__).parent / "javascript"


@pytest.fixture
def table(embedded: Instance) -> tuple[str, str]:
    """A database with a table in which every user may make rows."""
    admin: Client = server(embedded)
    columns = [
        {"key": "title", "type": "varchar", "size": 64, "required": True},
        {"key": "pages", "type": "integer"},
    ]
    made = TablesDB(admin).create(ID.unique(), "Library").id
    permissions = [Permission.create(Role.users())]
    TablesDB(admin).create_table(made, "notes", "Notes", permissions, row_security=True, columns=columns)
    return made, "notes"


@pytest.mark.parametrize("story", ["page", "server"])
def test_the_sdk_does_what_the_story_says(
    embedded: Instance, table: tuple[str, str], tmp_path: Path, story: str
) -> None:
    need_node(tmp_path)
    shutil.copytree(STORIES, tmp_path, dirs_exist_ok=True)
    program = (STORIES / f"{story}.mjs").read_text(encoding="utf-8")

    said = run(["node", f"{story}.mjs"], embedded, tmp_path, DAYPASS_DATABASE=table[0], DAYPASS_TABLE=table[1])

    steps = program[program.rindex("for (const step of [") :].partition("[")[2].partition("]")[0].split(",")
    assert said.split() == [step.strip() for step in steps]
