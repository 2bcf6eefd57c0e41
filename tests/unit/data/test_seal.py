import pytest

from services.data.domain.seal import KeyMissing, NotOpened, Seal, sealed_length, start_of
from shared.kernel.settings import Secret

ONE, OTHER = "1" * 32, "2" * 32
SEAL = Seal(Secret(ONE))
ID = SEAL.ids[0]
PLACE = b"project\n1\n2\nrow 3\nrow"


def sealed(plain: bytes = b'"value"') -> str:
    return SEAL.close(plain, key_id=ID, table=2, place=PLACE)


def test_a_value_opens_in_its_place() -> None:
    assert SEAL.open(sealed(), table=2, place=PLACE) == b'"value"'


@pytest.mark.parametrize(("table", "place"), [(3, PLACE), (2, PLACE + b"s"), (2, b"")])
def test_it_opens_nowhere_else(table: int, place: bytes) -> None:
    with pytest.raises(NotOpened):
        SEAL.open(sealed(), table=table, place=place)


@pytest.mark.parametrize("place", [0, 8, 24, -3])
def test_a_value_that_was_altered_does_not_open(place: int) -> None:
    text = sealed()
    altered = bytearray(text.encode())
    altered[place] = ord("B" if altered[place] != ord("B") else "C")

    with pytest.raises(NotOpened):
        SEAL.open(altered.decode(), table=2, place=PLACE)


@pytest.mark.parametrize("text", ["", "A", "AQ==", "not base64", "ü", "A" * 48])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(NotOpened):
        SEAL.open(text, table=2, place=PLACE)


def test_equal_values_are_sealed_differently_and_alike_in_length() -> None:
    assert sealed() != sealed()
    assert {len(sealed(b"x" * length)) for length in range(40)} == {sealed_length(length) for length in range(40)}
    assert all(len(sealed(b"x" * length)) == sealed_length(length) for length in range(40))


def test_the_first_key_seals_and_each_opens() -> None:
    both = Seal(Secret(f"{OTHER},\n {ONE}"))

    assert both.ids == (Seal(Secret(OTHER)).ids[0], ID)
    assert both.open(sealed(), table=2, place=PLACE) == b'"value"'
    again = both.close(b"new", key_id=both.ids[0], table=2, place=PLACE)
    assert (again.startswith(start_of(both.ids[0])), sealed().startswith(start_of(ID))) == (True, True)
    with pytest.raises(NotOpened):
        SEAL.open(again, table=2, place=PLACE)


def test_without_a_key_nothing_is_sealed() -> None:
    none = Seal(Secret(" "))

    assert none.ids == ()
    with pytest.raises(KeyMissing):
        none.close(b"value", key_id=ID, table=2, place=PLACE)


@pytest.mark.parametrize("keys", ["1" * 31, f"{ONE},short"])
def test_a_short_key_is_refused(keys: str) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        Seal(Secret(keys))
