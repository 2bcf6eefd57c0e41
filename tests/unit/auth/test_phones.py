"""Phone numbers: E.164 with a known country calling code."""

import pytest

from services.auth.mail.domain.phones import check_phone
from shared.kernel.errors import ArgumentInvalid


@pytest.mark.parametrize("number", ["+4930123456", "+12025550123", "+6834000", "+800123456789", "+491511234567890"])
def test_a_number_with_a_known_calling_code_is_one(number: str) -> None:
    check_phone("phone", number)


@pytest.mark.parametrize(
    "number", ["+91", "+12", "+12345", "+123456", "+999123456789", "+2100000000", "+4915112345678901"]
)
def test_another_number_is_refused(number: str) -> None:
    with pytest.raises(ArgumentInvalid, match="Invalid `phone` param"):
        check_phone("phone", number)
