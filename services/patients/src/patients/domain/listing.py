"""What can be asked of the list of patients, and what comes back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

Active = Literal["true", "false", "all"]


class Position(NamedTuple):
    """A place in the order of the list; it stays a place when the patient that stood there moves."""

    next_order: int
    recency: int
    name_order: str
    patient_id: UUID


@dataclass(frozen=True)
class Listing:
    """One page of one list, beginning after a position."""

    limit: int = 500
    active: Active = "true"
    search: str | None = None
    after: Position | None = None
    appointment_type: str | None = None


class Listed(NamedTuple):
    """A patient as JSON text, and what time-dependent keys are made of."""

    document: str
    next_at: datetime | None


@dataclass(frozen=True)
class Page:
    """`total_count` is the number that match; `end` is None on the last page."""

    patients: list[Listed]
    total_count: int
    end: Position | None
