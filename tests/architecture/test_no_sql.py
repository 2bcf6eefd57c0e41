"""SQL stands in store/ alone: none in the texts of domain/, http/ and operations/."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVICES = Path(__file__).parents[2] / "services"
ROOMS = {"domain", "http", "operations"}
SQL = re.compile(
    r"""
    \bSELECT\b | \bINSERT\ INTO\b | \bUPDATE\b.*\bSET\b | \bDELETE\ FROM\b | \bWHERE\b | \bFROM\b(?!\ PUBLIC)
    | \b(ORDER|GROUP|PARTITION)\ BY\b | \bIS\ (NOT\ )?NULL\b | \bNULLS\ (FIRST|LAST)\b | \bLIMIT\b | \bRETURNING\b
    | \b(CREATE|ALTER|DROP)\ (TABLE|INDEX|SCHEMA)\b | \bCOLLATE\b | \bAT\ TIME\ ZONE\b | (?<!\\)\$[0-9]
    | ::(text|bigint|int|integer|float8|numeric|boolean|bytea|jsonb?|date|timestamptz|interval|uuid)\b
    | \b(coalesce|unnest|strpos|starts_with|array_agg|(array_)?to_jsonb?|to_char|jsonb?_agg|concat_ws|array_\w+)\(
    """,
    re.VERBOSE | re.DOTALL,
)


def modules() -> list[Path]:
    return [path for path in sorted(SERVICES.rglob("*.py")) if ROOMS & set(path.relative_to(SERVICES).parts)]


def texts(module: str) -> Iterator[str]:
    """Return the texts of a module, those inside of f-strings too, without what documents it."""
    tree = ast.parse(module)
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def sql_in(module: str) -> list[str]:
    return [text for text in texts(module) if SQL.search(text)]


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(SERVICES)))
def test_a_module_outside_of_store_has_no_sql(path: Path) -> None:
    assert sql_in(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "sql",
    [
        '"SELECT id"',
        '"INSERT INTO auth.users"',
        '"UPDATE auth.users SET name = $1"',
        '"DELETE FROM auth.users"',
        'f"{column} IS NOT NULL"',
        'f" WHERE {conditions}"',
        'f"{table} ORDER BY {column}"',
        """"'web'::text\"""",
        '"NULL::timestamptz"',
        'f"coalesce({column}, 0)"',
        'f"strpos({column}, {value}) > 0"',
        '"to_json({})"',
        '"""(SELECT count(*)\\nFROM auth.users)"""',
    ],
)
def test_sql_is_recognised(sql: str) -> None:
    assert sql_in(f"column = {sql}")


def test_what_a_docstring_says_is_no_sql() -> None:
    assert not sql_in('"""SELECT is a word."""\n\nX = 1\n"""WHERE, too."""')


def test_each_room_is_searched() -> None:
    assert {room for path in modules() for room in ROOMS & set(path.parts)} == ROOMS
