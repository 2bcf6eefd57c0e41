"""Every operation of auth and token that ends or narrows what callers may do does so in `changing`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"
ROOMS = ("auth/*", "token")

PUBLISHING = {"publish", "publish_signing_keys"}
"""What announces a change in the feed: within the transaction that `changing` opens, and by it alone."""

ENDING = {
    "begin_epoch", "confirm_membership", "delete_key", "delete_membership", "delete_platform", "delete_project",
    "delete_sessions", "delete_team", "delete_user", "end_all_of_project", "end_all_of_user", "end_idle",
    "extend_session", "insert_key", "insert_platform", "insert_project", "insert_revoked_jwt", "move_signing_key",
    "set_enabled", "set_labels", "set_roles", "update_key", "update_platform", "update_project", "update_user",
}  # fmt: skip
"""What of store/ ends, narrows or gives a right that a replica may remember."""

EXEMPT = {
    "key_sets.py": {"current_key_set", "_begin_epoch"},  # a restore has ended the old keys already
    "account.py": {"_update"},  # of a name or preferences, which no right rests on
    "users.py": {"update_name", "update_prefs"},
    "revocations.py": {"revoke_jwt"},  # token asks for it, and waits for its ticket
}


def names_called(module: ast.Module, function: ast.AsyncFunctionDef) -> set[str]:
    """The functions of the store and those that publish, which a function calls."""
    stores, functions = set(), set(PUBLISHING)
    for node in ast.walk(module):
        if isinstance(node, ast.ImportFrom) and "store" in (parts := (node.module or "").split(".")):
            names = stores if parts[-1] == "store" else functions
            names.update(alias.asname or alias.name for alias in node.names)
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    of_stores = {
        call.attr
        for call in calls
        if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id in stores
    }
    return of_stores | {call.id for call in calls if isinstance(call, ast.Name) and call.id in functions}


def is_in_a_change(function: ast.AsyncFunctionDef) -> bool:
    """Whether a function opens a change, or works within the change that is its argument."""
    withs = [node for node in ast.walk(function) if isinstance(node, ast.AsyncWith)]
    annotations = [argument.annotation for argument in function.args.args if argument.annotation is not None]
    return any(ast.unparse(node.items[0]).startswith("changing(") for node in withs) or any(
        ast.unparse(annotation) == "Change" for annotation in annotations
    )


def violations(name: str, source: str) -> Iterator[str]:
    """The functions of a module that end something outside of a change, or announce something beside one."""
    module = ast.parse(source)
    for function in ast.walk(module):
        if not isinstance(function, ast.AsyncFunctionDef) or function.name in EXEMPT.get(name, ()):
            continue
        called = names_called(module, function) & (ENDING | PUBLISHING)
        if called and not is_in_a_change(function):
            yield f"{name}: {function.name} calls {', '.join(sorted(called))}"


def test_an_operation_that_ends_or_narrows_a_right_is_a_revoking_change() -> None:
    files = sorted(file for rooms in ROOMS for file in SERVICES.glob(f"{rooms}/operations/*.py"))
    found = [one for file in files for one in violations(file.name, file.read_text("utf-8"))]

    assert len(files) > 20
    assert found == [], "use `async with changing(…) as change:` of shared/guard/changing.py"


@pytest.mark.parametrize(
    "body",
    [
        "async with deps.pool.acquire() as connection, connection.transaction():\n"
        "        await store.delete_key(connection, project, id_)",
        "async with deps.pool.acquire() as connection, connection.transaction():\n"
        "        await publish(connection, event, asked_by='cli')",
        "async with deps.pool.acquire() as connection, connection.transaction():\n"
        "        await publish_signing_keys(connection, event)",
    ],
)
def test_a_change_that_is_written_out_by_hand_is_found(body: str) -> None:
    head = "from services.auth.projects.store import keys as store\nasync def delete(deps, project, id_):"

    assert list(violations("keys.py", f"{head}\n    {body}\n"))


def test_every_function_that_ends_something_is_one_of_the_store() -> None:
    functions = {
        node.name
        for rooms in ROOMS
        for file in SERVICES.glob(f"{rooms}/store/*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.AsyncFunctionDef)
    }

    assert functions >= ENDING
