"""What a run needs of Cliniko, and the ways Cliniko can fail it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

PAGE_SIZE = 100
"""The most Cliniko gives at once."""


@dataclass(frozen=True)
class Page:
    """One page of a list and how many rows the whole list has at this moment."""

    rows: Sequence[dict[str, Any]]
    total: int


class Clinic(Protocol):
    """One clinic's Cliniko account."""

    async def check(self) -> None:
        """Return when the credentials are accepted; raises a `ClinikoError` otherwise."""

    async def page(self, path: str, filters: Sequence[str], number: int, *, size: int = PAGE_SIZE) -> Page:
        """Page `number` (from 1) of a list, oldest record first. Raises a `ClinikoError`."""


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
