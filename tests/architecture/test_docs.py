"""The documents say what is so: their links lead somewhere, their tables are those of the code, their tests exist."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.cli.exit_codes import ExitCode

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
LINK = re.compile(r"\]\(([^)#:\s]*)(?:#([^)\s]+))?\)")
NOT_SHOWN = "not shown yet"


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def table_rows(text: str, columns: int) -> Iterator[list[str]]:
    """The cells of all tables with that many columns, without headings."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("| ") else []
        if len(cells) == columns and not cells[0].startswith("---"):
            yield cells


def anchors(document: Path) -> set[str]:
    """The names under which a document's headings can be linked to."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def definitions(module: Path) -> set[str]:
    """The names of a module's functions and classes; a method's name follows that of its class."""
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    names = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, functions | ast.ClassDef):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{method.name}" for method in node.body if isinstance(method, functions)}
    return names


def walk(heading: str) -> list[tuple[str, Path]]:
    """The functions that a section of docs/architecture.md links to, with their files."""
    section = read("architecture.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [(name, DOCS / path) for name, path in re.findall(r"\[`([\w.]+)`\]\(([^)#]+\.py)\)", section)]


WALKS = (
    "A DELETE of a session, from the request's bytes to the receipt",
    "A list query, from the URL to SQL and back",
)


@pytest.mark.parametrize("heading", WALKS)
def test_each_function_that_a_walk_names_is_in_the_file_it_links_to(heading: str) -> None:
    stops = walk(heading)

    assert len(stops) >= 20
    assert [f"{name} in {file.name}" for name, file in stops if name not in definitions(file)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for path, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        target = document.parent / path if path else document

        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def promises() -> list[tuple[str, str]]:
    rows = [(promise, shown) for promise, shown in table_rows(read("guarantees.md"), 2) if shown != "shown by"]
    required = [(name, shown) for name, _, shown in table_rows(read("security.md"), 3) if LINK.search(shown)]
    assert rows
    assert required
    return rows + required


@pytest.mark.parametrize(("promise", "shown"), promises(), ids=lambda cell: cell[:60])
def test_a_promise_is_shown_by_tests_that_exist_or_said_not_to_be(promise: str, shown: str) -> None:
    if shown == NOT_SHOWN:
        return
    files = [DOCS / path for path, _ in LINK.findall(shown)]
    defined = {
        name
        for file in files
        for one in ([file] if file.is_file() else file.glob("test_*.py"))
        for name in re.findall(r"^(?:async )?def (test_\w+)", one.read_text(encoding="utf-8"), re.MULTILINE)
    }

    assert defined, "neither a test nor 'not shown yet'"
    assert set(re.findall(r"`(test_\w+)`", shown)) <= defined


def test_the_glossary_is_in_order_and_explains_a_word_once() -> None:
    words = [word for word, _ in table_rows(read("glossary.md"), 2)][1:]

    assert words
    assert words == sorted(set(words), key=str.lower)


def test_the_glossary_and_the_protocol_say_what_a_registry_is_in_redis() -> None:
    added = (ROOT / "shared" / "guard" / "feed_reader.py").read_text(encoding="utf-8")
    meanings = [dict(table_rows(read(page), 2))["registry"] for page in ("glossary.md", "revocation.md")]

    assert '"ZADD", self._registry' in added
    assert [meaning for meaning in meanings if "Redis sorted set" not in meaning] == []


def test_the_glossary_has_the_words_of_the_protocol() -> None:
    explained = {word for word, _ in table_rows(read("glossary.md"), 2)}

    assert {word for word, _ in table_rows(read("revocation.md"), 2)} <= explained


def test_the_numbers_of_the_protocol_are_those_of_the_code() -> None:
    text, module = read("revocation.md"), ""
    for _, value, where in table_rows(text[text.index("## In numbers") :], 3):
        module = next((path.removeprefix("../") for path, _ in LINK.findall(where)), module)
        names = re.findall(r"`([A-Z_]+)`", where)
        if not names:
            continue
        constants = vars(importlib.import_module(module.removesuffix(".py").replace("/", ".")))
        shown = [float(number.replace(",", "")) for number in re.findall(r"\d[\d.,]*\d|\d", value)]

        assert shown[: len(names)] == [constants[name] for name in names], names


def test_the_round_of_a_reader_is_the_one_that_the_code_sends() -> None:
    text = read("revocation.md")
    block = text[text.index("\nMULTI\n") : text.index("\n```", text.index("\nMULTI\n"))]
    module = ast.parse((ROOT / "shared" / "guard" / "feed_reader.py").read_text(encoding="utf-8"))
    sending = next(node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.name == "_commands")
    sent = [
        (node.lineno, node.col_offset, node.elts[0].value)
        for node in ast.walk(sending)
        if isinstance(node, ast.Tuple) and node.elts and isinstance(node.elts[0], ast.Constant)
    ]

    assert re.findall(r"^[A-Z]+", block, re.MULTILINE) == [name for *_, name in sorted(sent) if name != "BLOCK"]


def test_the_recipe_of_a_setting_names_the_module_that_defines_it() -> None:
    recipe = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    module = re.findall(r"`ProcessSettings`\s+in \[([^\]]+)\]", recipe)[0]

    assert "class ProcessSettings" in (ROOT / module).read_text(encoding="utf-8")


def test_the_tree_names_the_folders_of_the_tests() -> None:
    tree = re.findall(r"^tests/ +(.+)$", read("architecture.md"), re.MULTILINE)
    folders = [path for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name[0] not in "._"]

    assert set(tree[0].split()) == {f"{path.name}/" for path in folders}


def test_every_decision_has_its_parts_and_is_listed() -> None:
    pages = sorted((DOCS / "adr").glob("[0-9]*.md"))
    numbers = [int(page.name[:4]) for page in pages]

    assert numbers == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Consequence"], page.name
        assert f"(adr/{page.name})" in read("architecture.md"), page.name


def test_exit_codes_are_those_of_the_command_line() -> None:
    listed = {(code, meaning) for code, meaning in table_rows(read("how-to/operate.md"), 2) if code.isdigit()}

    assert listed == {(str(code.value), code.meaning) for code in ExitCode}


def test_variables_of_the_compose_file_are_listed_with_their_defaults() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    listed = {
        (name.strip("`"), default.strip("`"))
        for name, default, _ in table_rows(read("how-to/operate.md"), 3)
        if name.startswith("`DAYPASS_")
    }

    assert listed == set(re.findall(r"\$\{(DAYPASS_\w+):-([^}]*)\}", compose))
