"""Databases: each endpoint of TablesDB has a twin that does the same by its older names."""

import json
import re
from typing import Any

import msgspec
import pytest
from appwrite.services.databases import Databases

from services.data.domain.naming import old_name, old_text
from services.data.http.legacy import TYPES
from shared.kernel.errors import ErrorType
from shared.web.endpoint import Endpoint
from shared.web.openapi import document
from tests.declarations import ENDPOINTS, parameter_names

TABLES_DB = [endpoint for endpoint in ENDPOINTS if endpoint.service == "tablesDB"]
TWINS = [endpoint for endpoint in ENDPOINTS if endpoint.service == "databases"]
NEW_WORD = re.compile("table|column|row", re.IGNORECASE)


def test_the_words_of_both() -> None:
    words = {
        "/v1/tablesdb/{databaseId}/tables/{tableId}": "/v1/databases/{databaseId}/collections/{collectionId}",
        "/columns/varchar/{key}": "/attributes/varchar/{key}",
        "/rows/{rowId}/{column}/increment": "/documents/{documentId}/{attribute}/increment",
        "tables_db.create": "databases.create",
        "tables_db.create_varchar_column": "databases.create_varchar_attribute",
        "tables_db.list_rows": "databases.list_documents",
        "relatedTableId": "relatedCollectionId",
        "rowSecurity": "documentSecurity",
        "$tableId": "$collectionId",
        "columns": "attributes",
        "TableList": "CollectionList",
        "column_not_found": "attribute_not_found",
        "column_index_invalid": "index_invalid",
        "row_already_exists": "document_already_exists",
        "database_not_found": "database_not_found",
        "browsers": "browsers",
        "tablet": "tablet",
    }

    assert {word: old_name(word) for word in words} == words


def test_quoted_words_of_a_sentence_are_left_alone() -> None:
    told = old_text("""A row's column "row" is no table of 'rows'. Invalid `columns` param: a column.""")

    assert (
        told == """A document's attribute "row" is no collection of 'rows'. Invalid `attributes` param: an attribute."""
    )


@pytest.mark.parametrize("endpoint", TABLES_DB, ids=lambda endpoint: endpoint.name)
def test_every_endpoint_of_tables_db_has_a_twin(endpoint: Endpoint) -> None:
    twins = [one for one in TWINS if (one.method, one.paths[0]) == (endpoint.method, old_name(endpoint.paths[0]))]

    assert len(twins) == 1
    same = ("method", "callers", "scopes", "status", "auth_method", "forbids_session")
    assert [getattr(twins[0], name) for name in same] == [getattr(endpoint, name) for name in same]
    assert (twins[0].limit is None) == (endpoint.limit is None)


@pytest.mark.parametrize("endpoint", TWINS, ids=lambda endpoint: endpoint.name)
def test_a_twin_has_no_word_of_tables_db(endpoint: Endpoint) -> None:
    described = json.loads(document([endpoint]))
    (operations,) = described["paths"].values()
    (operation,) = operations.values()
    del operation["x-scopes"]
    texts = [
        endpoint.name,
        *endpoint.paths,
        *parameter_names(endpoint),
        *names_in(described["components"]["schemas"]),
        *texts_in(operation),
    ]

    assert [text for text in texts if NEW_WORD.search(text)] == []


@pytest.mark.parametrize("endpoint", TWINS, ids=lambda endpoint: endpoint.name)
def test_a_handler_is_given_what_it_is_declared_with(endpoint: Endpoint) -> None:
    original = next(one for one in TABLES_DB if old_name(one.name) == endpoint.name)

    assert original.params is not None
    assert endpoint.params is not None
    assert issubclass(endpoint.params, original.params)
    before, after = msgspec.structs.fields(original.params), msgspec.structs.fields(endpoint.params)
    assert {one.name: (one.default, one.required) for one in before} == {
        one.name: (one.default, one.required) for one in after
    }


@pytest.mark.parametrize("type_", ErrorType)
def test_an_error_is_the_same_by_both_names(type_: ErrorType) -> None:
    assert TYPES[type_].status == type_.status
    assert TYPES[type_] is type_ or TYPES[type_].message == old_text(type_.message)
    assert not NEW_WORD.search(TYPES[type_].value)


def test_the_twins_are_methods_of_the_official_sdk() -> None:
    names = {endpoint.name.partition(".")[2].replace("_bigint_", "_big_int_") for endpoint in TWINS}

    assert [name for name in names if not hasattr(Databases, name)] == []


def names_in(value: Any) -> list[str]:
    """Return all keys of a JSON value."""
    if isinstance(value, dict):
        return [*value, *(name for one in value.values() for name in names_in(one))]
    return [name for one in value for name in names_in(one)] if isinstance(value, list) else []


def texts_in(value: Any) -> list[str]:
    """Return all texts of a JSON value, keys too."""
    if isinstance(value, dict):
        return [*value, *(text for one in value.values() for text in texts_in(one))]
    if isinstance(value, list):
        return [text for one in value for text in texts_in(one)]
    return [value] if isinstance(value, str) else []
