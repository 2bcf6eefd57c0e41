"""The OpenAPI document of all services, from their declarations. The build of the package writes it into the wheel."""

from services.registry import ALL
from shared.web.openapi import document


def whole() -> bytes:
    """Return the document."""
    return document(ALL)
