"""The truth about identity.

Owns: projects, API keys, users, sessions, login tokens, teams, memberships, revoked `jti`s, and the outbox.
Publishes: every change of a principal, in the feed; work that must be done at least once, in `events`.
Consumes: nothing.
Answers: `principal.resolve_session`, `principal.resolve_jwt`, `principal.resolve_key`, `principal.resolve_user`,
`principal.resolve_project`, `session.find`, `sessions.used`, `jwt.revoke`; and the requests of the command line.
"""
