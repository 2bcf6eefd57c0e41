import msgspec
import pytest

from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.web.errors import error_body, error_headers


@pytest.mark.parametrize("name", ErrorType.__members__)
def test_an_error_type_has_its_name_a_status_and_a_message(name: str) -> None:
    type_ = ErrorType[name]

    assert type_.value == name.lower()
    assert 400 <= type_.status < 600
    assert type_.message


def test_a_refusal_has_the_message_of_its_type_unless_it_says_more() -> None:
    assert Refusal(ErrorType.ROW_NOT_FOUND).message == ErrorType.ROW_NOT_FOUND.message
    assert Refusal(ErrorType.ROW_NOT_FOUND, "gone").message == str(Refusal(ErrorType.ROW_NOT_FOUND, "gone")) == "gone"


def test_an_error_has_appwrites_four_fields() -> None:
    status, body = error_body(Refusal(ErrorType.ROW_NOT_FOUND, "gone"))

    assert status == 404
    assert msgspec.json.decode(body) == {"message": "gone", "code": 404, "type": "row_not_found", "version": "1.9.6"}


@pytest.mark.parametrize("message", ["\ud800", "a\udcffb", "\0", "é"])
def test_a_message_may_hold_anything(message: str) -> None:
    _, body = error_body(Refusal(ErrorType.GENERAL_BAD_REQUEST, message))

    assert msgspec.json.decode(body)["message"]


def test_an_error_that_may_be_retried_says_when() -> None:
    assert ("Retry-After", "1") in error_headers(Unavailable("away"))
    assert "Retry-After" not in dict(error_headers(Refusal(ErrorType.ROW_NOT_FOUND, "gone")))
