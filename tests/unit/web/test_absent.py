import pytest

from shared.appwrite.absent import why_absent


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (
            "/v1/storage/buckets/one/files/two/preview",
            "Daypass does not have this endpoint. Previews are not there yet.",
        ),
        ("/v1/users/u1/mfa", "Daypass does not have this endpoint. Second factors are not there yet."),
        ("/v1/project/smtp", "Daypass does not have this endpoint. Mail is not sent yet."),
        ("/v1/storages", ""),
        ("/v1/nowhere", ""),
        ("/storage/buckets", ""),
        ("/v1", ""),
        ("/", ""),
    ],
)
def test_a_caller_of_an_endpoint_that_only_appwrite_has_hears_why(path: str, reason: str) -> None:
    assert why_absent(path) == reason
