"""Links that are sent to users: where they may lead."""

from shared.appwrite.cors import leads_to_named
from shared.contracts.principal import Project
from shared.kernel.errors import ArgumentInvalid


def check_link(project: Project, url: str, *, parameter: str = "url") -> None:
    """Raise `ArgumentInvalid` unless a link leads to a host or an app that the project names.

    A link carries a secret that signs its reader in, so nothing in the request that asks for it has a say: neither its
    `Host` nor the public hosts of the deployment, which all projects share.
    """
    if not leads_to_named(project, url):
        raise ArgumentInvalid(
            parameter, "Value must be a URL on a host, or with the scheme of an app, that the project allows"
        )
