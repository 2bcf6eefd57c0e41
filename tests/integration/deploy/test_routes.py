"""The gateway's table sends each declared path to the service that declares it."""

import pytest

from deploy.gateway.generate import declared
from tests.e2e.router import service_of

ID = "65f0c9d1e2b3a4958671"


@pytest.mark.parametrize(("segments", "service"), declared().items(), ids=str)
def test_a_declared_path_goes_to_its_service(segments: tuple[str, ...], service: str) -> None:
    path = "/" + "/".join(segments).replace("[^/]+", ID)

    assert service_of(path) == service


@pytest.mark.parametrize("path", ["/v1/accounts", "/v1/tablesdbs/a", "/v1/usersx/a/jwts", "/v1/avatars", "/v1/ping"])
def test_a_path_that_only_begins_like_a_declared_one_goes_to_auth(path: str) -> None:
    assert service_of(path) == "auth"
