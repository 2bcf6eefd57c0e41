"""The truth about identity.

Owns: projects, API keys, users, sessions, login tokens, teams, memberships, revoked `jti`s, and the outbox.
Publishes: every change of a principal, in the feed; work that must be done at least once, in `events`.
Consumes: nothing.
Answers services: `principal.resolve_session`, `principal.resolve_jwt`, `principal.resolve_key`,
`principal.resolve_user`, `principal.resolve_project`, `session.find`, `sessions.used`, `jwt.revoke`.
Answers the command line: `project.create`, `project.list`, `project.show`, `project.update`, `project.delete`,
`key.create`, `key.list`, `key.update`, `key.delete`, `user.create`, `user.list`, `user.show`, `user.update`,
`user.set_password`, `user.set_status`, `user.delete`, `session.list`, `session.revoke`, `session.revoke_all`,
`team.list`, `team.show`, `revocation.list`, `revocation.show`, `deployment.examine`, `dead_letter.list`,
`dead_letter.retry`.
"""
