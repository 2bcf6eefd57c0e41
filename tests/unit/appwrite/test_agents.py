"""What a User-Agent says, with Matomo's names and codes."""

import time

import msgspec
import pytest

from shared.appwrite.agents import LONGEST_AGENT, Agents, AgentTraits, bounded_agent

SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.5735.90"


@pytest.fixture(scope="module")
def agents() -> Agents:
    return Agents()


@pytest.mark.parametrize(
    ("agent", "system", "client", "engine", "device"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0.3538.77"
            " Safari/537.36",
            "WIN Windows 10", "browser CH Chrome 70.0", "Blink 70.0.3538.77", "desktop",
        ),
        (
            f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {SAFARI} Version/16.5 Safari/605.1.15",
            "MAC Mac 10.15", "browser SF Safari 16.5", "WebKit 605.1.15", "desktop Apple",
        ),
        (
            f"Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) {SAFARI} Version/16.5 Mobile/15E148 Safari/604.1",
            "IOS iOS 16.5", "browser MF Mobile Safari 16.5", "WebKit 605.1.15", "smartphone Apple iPhone",
        ),
        (
            f"Mozilla/5.0 (iPad; CPU OS 16_5 like Mac OS X) {SAFARI} CriOS/114.0.5735.99 Mobile/15E148 Safari/604.1",
            "IPA iPadOS 16.5", "browser CI Chrome Mobile iOS 114.0", "WebKit 605.1.15", "tablet Apple iPad",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 13; SM-S918B) {CHROME} Mobile Safari/537.36",
            "AND Android 13", "browser CM Chrome Mobile 114.0", "Blink 114.0.5735.90", "smartphone Samsung SM-S918B",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 13; SM-T870) {CHROME} Safari/537.36",
            "AND Android 13", "browser CH Chrome 114.0", "Blink 114.0.5735.90", "tablet  SM-T870",
        ),
        (
            f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36",
            "AND Android 10", "browser CM Chrome Mobile 114.0", "Blink 114.0.5735.90", "smartphone",
        ),
        (
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0",
            "UBT Ubuntu", "browser FF Firefox 115.0", "Gecko 109.0", "desktop",
        ),
        (
            "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
            "WIN Windows 7", "browser IE Internet Explorer 11.0", "Trident 7.0", "desktop",
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/114.0.1823.43",
            "WIN Windows 10", "browser PS Microsoft Edge 114.0", "Blink 114.0.5735.90", "desktop",
        ),
        (
            f"Mozilla/5.0 (Web0S; Linux/SmartTV) {CHROME} Safari/537.36 WebAppManager",
            "WOS webOS", "browser CH Chrome 114.0", "Blink 114.0.5735.90", "tv LG",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            " Mobile/15E148 [FBAN/FBIOS;FBAV/419.0.0;FBDV/iPhone14,5]",
            "IOS iOS 16.5", "mobile app  Facebook 419.0", "", "smartphone Apple iPhone14,5",
        ),
        ("python-requests/2.31.0", "", "library  Python Requests 2.31", "", ""),
        ("AppwriteNodeJSSDK/27.1.0 (Linux 5.4; x64)", "LIN GNU/Linux", "", "", "desktop"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://google.com/bot)", "", "browser  Googlebot 2.1", "", ""),
        ("nonsense", "", "", "", ""),
        ("", "", "", "", ""),
        (" \0 ", "", "", "", ""),
        ("\udcff\udcfe", "", "", "", ""),
    ],
)  # fmt: skip
def test_a_user_agent_says_its_system_program_and_device(
    agents: Agents, agent: str, system: str, client: str, engine: str, device: str
) -> None:
    seen = agents.traits(agent)

    assert joined(seen.os_code, seen.os_name, seen.os_version) == system
    assert joined(seen.client_type, seen.client_code, seen.client_name, seen.client_version) == client
    assert joined(seen.client_engine, seen.client_engine_version) == engine
    assert joined(seen.device_name, seen.device_brand, seen.device_model) == device


def joined(*parts: str) -> str:
    return " ".join(parts).strip()


HOSTILE = ["A", "Mozilla/5.0 ", "Android ", "; ", "(", "a/1.", "1.", " ", "Build/", "Mobile Safari/", "-", "rv:1", "TV"]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_user_agent_is_read_as_fast_as_another(agents: Agents, piece: str) -> None:
    """A hundred take less than a second on any machine; one that backtracked would take longer by itself."""
    agent = f"Mozilla/5.0 (Linux; Android 13; {piece * 100_000}"
    started = time.thread_time()
    for _ in range(100):
        agents.traits(agent)

    assert time.thread_time() - started < 1


def test_only_the_beginning_of_a_user_agent_is_kept() -> None:
    assert bounded_agent("x" * 10_000) == "x" * LONGEST_AGENT
    assert bounded_agent(" a\0\udcffb ") == "ab"


def test_nothing_is_said_by_none(agents: Agents) -> None:
    assert set(msgspec.structs.astuple(agents.traits(""))) == {""}
    assert agents.traits("") == AgentTraits()
