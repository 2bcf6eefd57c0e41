"""The truth about identity.

Owns: projects, API keys, users, sessions, login tokens, teams, memberships, revoked `jti`s, and the outbox.
Says: every change of a principal, in the feed; work to be done at least once, in `events`.
Hears: `principal.resolve`, `project.get`, `session.find` and the requests of the command line.
"""
