"""The OpenAPI document tells the truth: requests made of it by schemathesis get the answers that it announces.

By default the requests that cover each parameter's limits; `make schema` adds many random ones, and covers the twins of
Databases too.
"""

import json
import os
from urllib.parse import urlsplit

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from services.embedded.openapi import whole
from tests.e2e.instance import Instance

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
REQUESTS = int(os.environ.get("DAYPASS_TEST_SCHEMA_REQUESTS", "1"))
"""How many random requests for each operation; 1: the quick choice."""

schema = schemathesis.openapi.from_dict(json.loads(whole()))
schema.config.generation.update(deterministic=True)
chosen = schema if REQUESTS > 1 else schema.exclude(tag="databases")


@chosen.parametrize()
@settings(max_examples=REQUESTS, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_operation_answers_as_the_document_says(embedded: Instance, case: schemathesis.Case) -> None:
    address = urlsplit(embedded.endpoint)
    case.call_and_validate(
        base_url=f"{address.scheme}://{address.netloc}",
        headers={"X-Appwrite-Project": embedded.project, "X-Appwrite-Key": embedded.key},
        checks=CHECKS,
    )
