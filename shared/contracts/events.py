"""Events: what has happened, in the past tense.

| event | stream | who hears it | meaning |
| --- | --- | --- | --- |
| `feed.opened` | feed | every guard | a new feed begins |
| `principals.changed` | feed | every guard | what was known of these subjects no longer holds |
| `project.deleted` | events | data, storage | the project's databases and buckets are to be dropped |

Adding a field with a default is free; everything else is a new `VERSION`. A reader of the feed that does not know a
type or version drops its whole cache, so that an old replica errs on the safe side.
"""

from typing import Annotated, ClassVar

import msgspec

from shared.contracts.ids import ProjectId


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened; subclasses name their type, and their stream."""

    TYPE: ClassVar[str]
    VERSION: ClassVar[int] = 1
    STREAM: ClassVar[str]


class FeedOpened(Event, frozen=True, kw_only=True):
    """The first entry of a feed."""

    TYPE: ClassVar[str] = "feed.opened"
    STREAM: ClassVar[str] = "feed"


class PrincipalsChanged(Event, frozen=True, kw_only=True):
    """What was known of `subjects` no longer holds. `reason`, for people, is one of `reasons.Reason`."""

    TYPE: ClassVar[str] = "principals.changed"
    STREAM: ClassVar[str] = "feed"

    subjects: tuple[str, ...]
    reason: str


class ProjectDeleted(Event, frozen=True, kw_only=True):
    """An incarnation of a project is gone from auth; services drop what they hold of it, and nothing else."""

    TYPE: ClassVar[str] = "project.deleted"
    STREAM: ClassVar[str] = "events"

    project_id: ProjectId = msgspec.field(name="project")
    incarnation: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
