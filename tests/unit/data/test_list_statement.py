"""The page on queries prints the statement that the code makes."""

import re
from datetime import UTC, datetime
from pathlib import Path

from services.data.domain.catalogue import Column, Database, Index, Table
from services.data.domain.columns.kind import Options
from services.data.domain.naming import Naming
from services.data.domain.queries import parse_row_queries
from services.data.store import statements

PAGE = Path(__file__).parents[3] / "docs" / "queries.md"
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
QUERIES = [
    '{"method":"equal","attribute":"city","values":["Graz"]}',
    '{"method":"orderAsc","attribute":"born"}',
    '{"method":"cursorAfter","values":["grace"]}',
    '{"method":"select","values":["name"]}',
]


def column(n: int, key: str, kind_name: str) -> Column:
    return Column(
        n=n,
        key=key,
        kind_name=kind_name,
        options=Options(),
        required=False,
        default=None,
        array=False,
        created_at=CREATED,
        updated_at=CREATED,
    )


def index(n: int, key: str) -> Index:
    return Index(
        n=n, key=key, type="key", columns=[key], orders=["ASC"], lengths=[None], created_at=CREATED, updated_at=CREATED
    )


BIRTHDAYS = Table(
    n=1,
    database=Database(
        n=1,
        project="p",
        id="main",
        name="Main",
        enabled=True,
        type=Naming.TABLES_DB,
        created_at=CREATED,
        updated_at=CREATED,
    ),
    id="birthdays",
    name="Birthdays",
    enabled=True,
    row_security=True,
    permissions=[],
    version=1,
    columns=[column(1, "name", "varchar"), column(2, "city", "varchar"), column(3, "born", "datetime")],
    indexes=[index(1, "city"), index(2, "born")],
    created_at=CREATED,
    updated_at=CREATED,
)


def normalized(sql: str) -> str:
    """SQL without comments, and without the white space that only lays it out."""
    return re.sub(r" ?([()]) ?", r"\1", " ".join(re.sub(r"--.*", "", sql).split()))


def test_the_page_on_queries_prints_the_statement_that_the_code_makes() -> None:
    query = parse_row_queries(QUERIES, BIRTHDAYS.by_key)
    text, values = statements.list_rows(BIRTHDAYS, query, roles=["any", "users", "user:ada"], with_total=True)
    printed = re.findall(r"^```sql\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)

    assert [normalized(one) for one in printed] == [normalized(text)]
    assert values == [1, ["any", "users", "user:ada"], "grace", "Graz"]


def test_the_page_on_queries_explains_each_part_of_its_statement() -> None:
    page = PAGE.read_text(encoding="utf-8")
    names = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]

    assert set(re.findall(r"(\w+) AS MATERIALIZED", page)) <= set(re.findall(r"`(\w+)`", "".join(names)))
