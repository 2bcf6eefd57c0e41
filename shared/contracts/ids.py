"""The ids of each noun: texts that cannot stand for one another, and cost nothing at run time.

They are made where a text comes in: in parameters of HTTP, messages, and rows of the database.
"""

from typing import NewType

ProjectId = NewType("ProjectId", str)
UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)
TokenId = NewType("TokenId", str)
"""Of a login token."""
TeamId = NewType("TeamId", str)
MembershipId = NewType("MembershipId", str)
KeyId = NewType("KeyId", str)
"""Of an API key."""
PlatformId = NewType("PlatformId", str)
DatabaseId = NewType("DatabaseId", str)
TableId = NewType("TableId", str)
RowId = NewType("RowId", str)

NO_SESSION = SessionId("")
NO_USER = UserId("")
NO_ROW = RowId("")
