"""Claims: what a Daypass JWT says of its bearer. Never roles: a change of role needs no new JWT."""

from typing import Annotated, Final

import msgspec

from shared.contracts.ids import SessionId, UserId

TYPE: Final = "at+jwt"
"""The `typ` of every JWT's header (RFC 9068): no other kind of token can pass for one."""

LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999; no date in a claim is beyond it."""

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=LAST_SECOND)]
Incarnation = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
"""Every JSON parser reads integers up to here exactly."""


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The claims of a JWT. All but `sid` are mandatory, dates are whole Unix seconds, unknown claims are ignored.

    `aud` is the project's id. `userId` and `sessionId` are Appwrite's names for `sub` and `sid`; a JWT that is not
    bound to a session has an empty `sessionId` and no `sid`, but the `generation` of its user, which ends with all
    sessions of the user. A project or user that is made again with the id of a deleted one has another incarnation.
    """

    iss: Text
    sub: Text
    aud: Text
    jti: Text
    iat: Seconds
    nbf: Seconds
    exp: Seconds
    user_id: UserId = msgspec.field(name="userId")
    session_id: SessionId = msgspec.field(name="sessionId")
    project_incarnation: Incarnation = msgspec.field(name="projectIncarnation")
    user_incarnation: Incarnation = msgspec.field(name="userIncarnation")
    sid: Annotated[str, msgspec.Meta(max_length=256)] = ""
    generation: Annotated[int, msgspec.Meta(ge=0)] = 0

    def agree(self) -> bool:
        """Say whether Appwrite's names and the standard ones mean the same."""
        return (self.user_id, self.session_id) == (self.sub, self.sid)
