"""The trail of an organization, and what became of a cleanup."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from admin.domain.audit import Link
from admin.entrypoints.shapes import examples
from admin.handlers import Cleaned
from contracts.timestamps import Moment


class AuditEntry(BaseModel):
    """Something that happened. `recorded_at` is when it was sealed; hashes are SHA-256 in hexadecimal."""

    position: int
    kind: str
    occurred_at: Moment
    recorded_at: Moment
    request_id: str | None
    user_id: str | None
    role: str | None
    impersonator: str | None
    patient_ids: Sequence[UUID]
    details: dict[str, Any]
    previous: str
    hash: str

    @classmethod
    def of(cls, link: Link) -> Self:
        """The entry in its place."""
        entry = link.entry
        return cls(
            position=link.position,
            kind=entry.kind,
            occurred_at=entry.occurred_at,
            recorded_at=link.recorded_at,
            request_id=entry.request_id,
            user_id=entry.user_id,
            role=entry.role,
            impersonator=entry.impersonator,
            patient_ids=entry.patient_ids,
            details=dict(entry.details),
            previous=link.previous.hex(),
            hash=link.hash.hex(),
        )


class AuditPage(BaseModel):
    """A page of the trail; `next_cursor` is null on the last one."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.AUDIT_PAGE]})

    organization_id: str
    entries: list[AuditEntry]
    next_cursor: int | None
    timestamp: Moment

    @classmethod
    def of(cls, organization_id: str, links: Sequence[Link], limit: int, now: datetime) -> Self:
        """A page that is not full is the last."""
        cursor = links[-1].position if len(links) == limit else None
        entries = [AuditEntry.of(link) for link in links]
        return cls(organization_id=organization_id, entries=entries, next_cursor=cursor, timestamp=now)


class Cleanup(BaseModel):
    """What went, and what stays though it is old."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CLEANUP]})

    success: Literal[True] = True
    days_cleaned: int
    cleanup_results: list[str]
    completed_at: Moment

    @classmethod
    def of(cls, cleaned: Cleaned, days_old: int, years: int, now: datetime) -> Self:
        """In the reference's words."""
        results = [
            f"Deleted {cleaned.removed} old audit logs",
            f"Kept {cleaned.kept} audit logs: none goes before it is {years} years old",
            f"Deleting sync logs of {cleaned.organizations} organizations; their audit will say how many went",
        ]
        return cls(days_cleaned=days_old, cleanup_results=results, completed_at=now)
