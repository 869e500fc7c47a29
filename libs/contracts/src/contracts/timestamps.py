"""How a moment is written for people and programs outside: UTC, milliseconds, Z."""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema


def iso(moment: datetime) -> str:
    """`2025-06-30T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=4096)
def http_date(moment: datetime) -> str:
    """`Mon, 30 Jun 2025 12:00:00 GMT`, for a header; many answers in a row tell of the same moment."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)


Moment = Annotated[datetime, PlainSerializer(iso), WithJsonSchema({"type": "string", "format": "date-time"})]
"""In the shape of an answer."""
