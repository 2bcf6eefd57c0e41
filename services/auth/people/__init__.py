"""Users, their sessions and login tokens, and the account that a user sees. May read projects."""
