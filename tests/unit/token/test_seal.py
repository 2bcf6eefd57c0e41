import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.token.domain.seal import Seal, WrongMasterKey
from shared.kernel.settings import Secret

MASTER = Secret("m" * 32)
SEALED = Seal(MASTER).close(b"private", kid="k1")


def test_a_sealed_key_opens_under_the_same_master_key() -> None:
    assert Seal(MASTER).open(SEALED, kid="k1") == b"private"


def test_sealing_twice_gives_two_texts_and_neither_holds_the_key() -> None:
    again = Seal(MASTER).close(b"private", kid="k1")

    assert again != SEALED
    assert b"private" not in again


def test_another_master_key_opens_nothing_and_says_so_without_secrets() -> None:
    with pytest.raises(WrongMasterKey, match="DAYPASS_MASTER_KEY") as found:
        Seal(Secret("n" * 32)).open(SEALED, kid="k1")

    assert "nnnn" not in str(found.value)


OTHER = "n" * 32


def test_the_first_master_key_seals_and_each_opens() -> None:
    seal = Seal(Secret(f"{OTHER},\n {MASTER.reveal()}"))
    again = seal.close(b"private", kid="k1")

    assert seal.open(SEALED, kid="k1") == b"private"
    assert Seal(Secret(OTHER)).open(again, kid="k1") == b"private"
    with pytest.raises(WrongMasterKey):
        Seal(MASTER).open(again, kid="k1")


def test_a_sealed_key_opens_only_under_its_own_kid() -> None:
    with pytest.raises(WrongMasterKey):
        Seal(MASTER).open(SEALED, kid="k2")


@given(place=st.integers(0, len(SEALED) - 1), flip=st.integers(1, 255))
def test_an_altered_key_does_not_open(place: int, flip: int) -> None:
    altered = bytearray(SEALED)
    altered[place] ^= flip

    with pytest.raises(WrongMasterKey):
        Seal(MASTER).open(bytes(altered), kid="k1")


@pytest.mark.parametrize("length", range(0, len(SEALED), 5))
def test_a_shortened_key_does_not_open(length: int) -> None:
    with pytest.raises(WrongMasterKey):
        Seal(MASTER).open(SEALED[:length], kid="k1")


@pytest.mark.parametrize("keys", ["m" * 31, f"{OTHER},short", "", " , "])
def test_a_short_master_key_is_refused(keys: str) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        Seal(Secret(keys))
