from shared.contracts.credentials import SessionSecret


def test_a_session_secret_has_1024_random_bits() -> None:
    secrets = {SessionSecret.new("ada").secret for _ in range(100)}

    assert len(secrets) == 100
    assert {len(bytes.fromhex(secret)) * 8 for secret in secrets} == {1024}
    # of 100 random texts every place takes more than one value
    assert all(len(set(place)) > 1 for place in zip(*secrets, strict=True))
