"""The modules that declare the endpoints of auth."""

from services.auth.instance.http import health
from services.auth.people.http import account, imports, sessions, user_sessions, users
from services.auth.projects.http import keys, platforms, project
from services.auth.teams.http import memberships, teams

MODULES = (account, sessions, users, user_sessions, imports, keys, project, platforms, teams, memberships, health)
