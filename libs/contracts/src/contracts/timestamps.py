"""How a moment is written for people and programs outside: UTC, milliseconds, Z."""

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """`2025-06-30T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
