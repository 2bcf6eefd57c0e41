"""All declared endpoints, and how tests speak of them."""

import msgspec

from services.registry import ALL as ENDPOINTS
from shared.web.endpoint import PLACEHOLDER, Endpoint

__all__ = ["ENDPOINTS", "PLACEHOLDER", "parameter_names"]


def parameter_names(endpoint: Endpoint) -> list[str]:
    """The names of an endpoint's parameters, as they travel."""
    return [] if endpoint.params is None else [field.encode_name for field in msgspec.structs.fields(endpoint.params)]
