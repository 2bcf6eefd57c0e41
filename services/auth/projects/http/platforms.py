"""The project service: web platforms, whose pages may call."""

from typing import Annotated

import msgspec

from services.auth.deps import AuthDeps
from services.auth.projects.domain.projects import LONGEST_NAME, PLATFORM_LIST_FIELDS
from services.auth.projects.domain.projects import Platform as PlatformOf
from services.auth.projects.operations import platforms as operations
from shared.contracts.ids import PlatformId
from shared.kernel.clock import wire_date
from shared.kernel.errors import ErrorType
from shared.queries.lists import parse_list_query
from shared.web.endpoint import Call, Caller, Routes
from shared.web.parameters import CustomIdOf, IdOf
from shared.web.receipts import add_receipt, with_receipt

routes = Routes[AuthDeps]("project", {"platformId": ErrorType.PLATFORM_NOT_FOUND})

READ, WRITE = ("platforms.read",), ("platforms.write",)

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
Hostname = Annotated[
    str,
    msgspec.Meta(
        max_length=255,
        pattern=r"^((\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)?\Z",
        description="must be a host name, without scheme and port, or *. and one for all its subdomains",
    ),
]


class CreateWebPlatform(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A web platform; without a host name no page is of it."""

    platform_id: CustomIdOf[PlatformId]
    name: Name
    hostname: Hostname = ""


class ListPlatforms(msgspec.Struct, frozen=True, kw_only=True):
    """`queries` in the SDKs' syntax; `total` false spares the count."""

    queries: list[str] = []
    total: bool = True


class PlatformPath(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One platform."""

    platform_id: IdOf[PlatformId]


class UpdateWebPlatform(PlatformPath, frozen=True, kw_only=True, rename="camel"):
    """All that the platform is to be."""

    name: Name
    hostname: Hostname = ""


class PlatformWeb(msgspec.Struct, frozen=True, kw_only=True):
    """A web platform."""

    id: str = msgspec.field(name="$id")
    created_at: str = msgspec.field(name="$createdAt")
    updated_at: str = msgspec.field(name="$updatedAt")
    name: str
    type: str = "web"
    hostname: str


class PlatformList(msgspec.Struct, frozen=True, kw_only=True):
    """The platforms of a project."""

    total: int
    platforms: list[PlatformWeb]


@routes.endpoint("GET", "/v1/project/platforms", name="project.list_platforms", callers=Caller.KEY, scopes=READ)
async def list_platforms(call: Call[AuthDeps], params: ListPlatforms) -> PlatformList:
    """List the project's platforms; its own origins, which the operator sets, may call besides."""
    query = parse_list_query(params.queries, PLATFORM_LIST_FIELDS, total=params.total)
    page = await operations.list_platforms(call.deps, call.project.id, query=query)
    return PlatformList(total=page.total, platforms=[platform_model(platform) for platform in page.items])


@routes.endpoint(
    "POST",
    "/v1/project/platforms/web",
    name="project.create_web_platform",
    callers=Caller.KEY,
    scopes=WRITE,
    status=201,
    errors=(ErrorType.PLATFORM_ALREADY_EXISTS, ErrorType.REVOCATION_UNCONFIRMED),
)
async def create_web_platform(call: Call[AuthDeps], params: CreateWebPlatform) -> PlatformWeb:
    """Let the pages of a host call, everywhere."""
    changed = await operations.create_platform(
        call.deps, call.principal, platform_id=params.platform_id, name=params.name, hostname=params.hostname
    )
    return platform_model(with_receipt(call, changed))


@routes.endpoint(
    "GET", "/v1/project/platforms/{platformId}", name="project.get_platform", callers=Caller.KEY, scopes=READ
)
async def get_platform(call: Call[AuthDeps], params: PlatformPath) -> PlatformWeb:
    """Return a platform."""
    platform = await operations.get_platform(call.deps, call.project.id, platform_id=params.platform_id)
    return platform_model(platform)


@routes.endpoint(
    "PUT",
    "/v1/project/platforms/web/{platformId}",
    name="project.update_web_platform",
    callers=Caller.KEY,
    scopes=WRITE,
    errors=(ErrorType.PLATFORM_NOT_FOUND, ErrorType.REVOCATION_UNCONFIRMED),
)
async def update_web_platform(call: Call[AuthDeps], params: UpdateWebPlatform) -> PlatformWeb:
    """Change a platform, in force everywhere."""
    changed = await operations.update_platform(
        call.deps, call.principal, platform_id=params.platform_id, name=params.name, hostname=params.hostname
    )
    return platform_model(with_receipt(call, changed))


@routes.endpoint(
    "DELETE",
    "/v1/project/platforms/{platformId}",
    name="project.delete_platform",
    callers=Caller.KEY,
    scopes=WRITE,
    status=204,
    errors=(ErrorType.PLATFORM_NOT_FOUND, ErrorType.REVOCATION_UNCONFIRMED),
)
async def delete_platform(call: Call[AuthDeps], params: PlatformPath) -> None:
    """Delete a platform: its pages may call no more, anywhere."""
    add_receipt(call, await operations.delete_platform(call.deps, call.principal, platform_id=params.platform_id))


def platform_model(platform: PlatformOf) -> PlatformWeb:
    """Write a platform."""
    return PlatformWeb(
        id=platform.id,
        created_at=wire_date(platform.created_at),
        updated_at=wire_date(platform.updated_at),
        name=platform.name,
        hostname=platform.hostname,
    )
