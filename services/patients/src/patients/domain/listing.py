"""What can be asked of the list of patients, and what comes back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

Active = Literal["true", "false", "all"]

LONGEST_WALK = timedelta(hours=1)


class Position(NamedTuple):
    """A place in the order of the list."""

    next_order: int
    recency: int
    name_order: str
    patient_id: UUID


class Walk(NamedTuple):
    """A way through a list, page by page: all along it every patient stands where they stood when it began."""

    began_at: datetime
    snapshot: str
    """The transactions its first page saw, as PostgreSQL writes a `pg_snapshot`."""
    transaction: str
    """The one its first page was read in, whose own changes it saw too."""

    def is_over(self, now: datetime) -> bool:
        """Where patients stood before is not kept for ever."""
        return now - self.began_at > LONGEST_WALK


class Bookmark(NamedTuple):
    """Where a walk goes on."""

    walk: Walk
    after: Position


@dataclass(frozen=True)
class Listing:
    """One page of one list, beginning after a bookmark."""

    limit: int = 500
    active: Active = "true"
    search: str | None = None
    bookmark: Bookmark | None = None
    appointment_type: str | None = None


class Listed(NamedTuple):
    """A patient as JSON text, and what time-dependent keys are made of."""

    patient_id: UUID
    document: str
    next_at: datetime | None


class Version(NamedTuple):
    """What a clinic's lists are made of, told apart from what they were made of before."""

    changes: int
    synced_at: datetime | None
    """When the clinic was last read from Cliniko; None before its first sync."""


@dataclass(frozen=True)
class Page:
    """`total_count` is the number that match; `end` is None on the last page; all of it is of `version` or newer."""

    version: Version
    patients: list[Listed]
    total_count: int
    end: Bookmark | None
