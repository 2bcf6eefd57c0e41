"""The doctor knows where sessions travel in the clear."""

from collections.abc import AsyncIterator

import pytest

from services.auth.instance.operations.doctor import Deployment, examine_address
from shared.contracts.findings import ExamineDeployment, Finding, Verdict
from shared.kernel.settings import Secret
from tests.integration.auth.conftest import World, open_world
from tests.parts import Parts


@pytest.fixture
async def world(parts: Parts) -> AsyncIterator[World]:
    """One of its own: what its doctor has seen stays seen."""
    async with parts.valkey() as valkey, open_world(await parts.new_database(), valkey, rate_limits=False) as world:
        yield world


async def test_the_doctor_fails_where_a_session_was_made_over_http_under_a_public_host(world: World) -> None:
    async def address() -> Finding:
        findings = (await world.bus.ask(ExamineDeployment(), timeout_s=15)).findings
        return next(finding for finding in findings if finding.check == "address")

    async def sign_in(**headers: str) -> None:
        assert (await world.guest.with_(**headers).call("POST", "/account/sessions/anonymous")).status == 201

    await sign_in(Host="localhost:8080")
    await sign_in(Host="gateway")
    await sign_in(Host="api.example.com", X_Forwarded_Proto="https")
    assert (await address()).verdict is Verdict.OK

    await sign_in(Host="api.example.com")
    found = await address()
    assert (found.verdict, found.part) == (Verdict.FAIL, "auth")
    assert "under api.example.com," in found.message
    assert "DAYPASS_PUBLIC_URL" in found.message


@pytest.mark.parametrize(
    ("urls", "verdict"),
    [
        ((), Verdict.OK),
        (("https://api.example.com",), Verdict.OK),
        (("https://api.example.com", "http://localhost:8080", "http://gateway"), Verdict.OK),
        (("http://api.example.com",), Verdict.FAIL),
        (("https://a.example.com", "http://b.example.com"), Verdict.FAIL),
        (("http://8.8.8.8",), Verdict.FAIL),
    ],
)
def test_the_doctor_fails_where_a_public_url_is_plain_http(urls: tuple[str, ...], verdict: Verdict) -> None:
    nowhere = Secret("")
    deployment = Deployment(redis_url=nowhere, limits_redis_url=nowhere, copies=0, has_barrier=True, public_url=urls)

    assert examine_address(deployment).verdict is verdict
