"""What auth answers on the bus. It consumes no events."""

from services.auth.instance import bus as instance
from services.auth.people import bus as people
from services.auth.principals import bus as principals
from services.auth.projects import bus as projects
from services.auth.revocations import bus as revocations
from services.auth.teams import bus as teams
from shared.messaging.answers import Answers

MODULES = (principals, people, teams, projects, revocations, instance)
"""The modules that declare requests."""

ANSWERS = Answers("auth", [module.requests for module in MODULES])
