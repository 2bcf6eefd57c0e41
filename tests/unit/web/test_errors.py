import msgspec
import pytest

from shared.kernel.errors import ErrorType, Refusal, Unavailable
from shared.web.errors import STATUSES, error_body, error_headers


def test_every_error_type_has_a_status() -> None:
    assert set(STATUSES) == set(ErrorType)


def test_an_error_has_appwrites_four_fields() -> None:
    status, body = error_body(Refusal(ErrorType.ROW_NOT_FOUND, "gone"))

    assert status == 404
    assert msgspec.json.decode(body) == {"message": "gone", "code": 404, "type": "row_not_found", "version": "1.9.6"}


@pytest.mark.parametrize("message", ["\ud800", "a\udcffb", "\0", "é"])
def test_a_message_may_hold_anything(message: str) -> None:
    _, body = error_body(Refusal(ErrorType.GENERAL_BAD_REQUEST, message))

    assert msgspec.json.decode(body)["message"]


def test_what_may_be_tried_again_says_when() -> None:
    assert ("Retry-After", "1") in error_headers(Unavailable("away"))
    assert "Retry-After" not in dict(error_headers(Refusal(ErrorType.ROW_NOT_FOUND, "gone")))
