"""What somebody wants to know of an organization's trail."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import UUID

from admin.domain.audit import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """A page of the entries that fit all of it, the newest first."""

    limit: int
    before: int | None = None
    """The position that the page before ended with."""
    patient_id: UUID | None = None
    user_id: str | None = None
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None
    """An entry of this very moment is left out."""

    def given(self) -> Mapping[str, str | int]:
        """What was asked for, as it goes on record."""
        return {name: _plain(value) for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Sum:
    """How often somebody stands in the entries that fit an inquiry, whatever its page."""

    user_id: str | None
    impersonator: str | None
    entries: int
    first_at: datetime
    last_at: datetime


def _plain(value: UUID | datetime | str | int) -> str | int:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, UUID) else value
