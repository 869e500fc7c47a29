"""What a run needs of Cliniko, and the ways Cliniko can fail it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Protocol

PAGE_SIZE = 100
"""The most Cliniko gives at once."""
OLDEST_FIRST = "created_at:asc,id:asc"
"""With every exclusion lifted this is the one order that inserts and updates do not shift."""

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Page:
    """One page of a list, and what Cliniko said of the list at that moment."""

    rows: Sequence[dict[str, Any]]
    total: int
    """Rows of the whole list; counted anew for each answer, and not always right."""
    more: bool = False
    """Cliniko names a next page."""
    answered_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When, by Cliniko's own clock (whole seconds); by ours when the answer carries no date."""
    skew: timedelta = timedelta()
    """How far Cliniko's clock is ahead of ours."""

    def continues(self, number: int, size: int = PAGE_SIZE) -> bool:
        """True when page `number + 1` is to be read: Cliniko names it, or counts rows beyond this page.

        Either may be wrong, so either is enough; a page without rows is the end whatever they say.
        """
        return bool(self.rows) and (self.more or number * size < self.total)


class Clinic(Protocol):
    """One clinic's Cliniko account. Every call may raise any `ClinikoError`."""

    async def check(self) -> None:
        """Return when the credentials are accepted."""

    async def page(
        self, path: str, filters: Sequence[str], number: int, *, size: int = PAGE_SIZE, order: str = OLDEST_FIRST
    ) -> Page:
        """Page `number` (from 1) of a list. Several may be asked for at once."""

    async def record(self, path: str, filters: Sequence[str] = ()) -> Json | None:
        """One record, `patients/1`; None when Cliniko has no such record, or `filters` do not lift what hides it."""


class ClinikoError(Exception):
    """Cliniko did not do what was asked. `text` is for people and holds no data."""

    text: ClassVar[str] = "Cliniko answered in a way we do not understand."


class CredentialsRefused(ClinikoError):
    """401: Cliniko gives one answer to a wrong key, a revoked one, and a key of another region."""

    text = "Cliniko refused the API key: it is wrong, revoked, or of another region."


class PermissionDenied(ClinikoError):
    """403: the key's user may not see this list."""

    text = "The API key's user has no permission to read this in Cliniko."


class Away(ClinikoError):
    """Refused, timed out or 5xx, again and again."""

    text = "Cliniko could not be reached. Please try again later."


class Busy(ClinikoError):
    """429, again and again."""

    text = "Cliniko's request limit is used up. Please try again in a minute."


class BadAnswer(ClinikoError):
    """A success that is not what the documentation promises, or a refusal of our request."""


class NoSuchList(BadAnswer):
    """404 with a web page: Cliniko does not route the path, as it may end to do with the undocumented lists."""
