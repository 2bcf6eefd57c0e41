"""Auth methods, by Appwrite's ids: a project can switch each of them off."""

from typing import Literal, get_args

AuthMethod = Literal["email-password", "magic-url", "email-otp", "anonymous", "invites", "jwt", "phone"]
AUTH_METHODS: tuple[str, ...] = get_args(AuthMethod)
