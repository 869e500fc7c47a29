"""The trail of an organization, and what became of a cleanup."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from admin.domain.audit import Link
from admin.domain.inquiry import Inquiry
from admin.entrypoints.shapes import examples
from admin.handlers import Cleaned, Found
from contracts.timestamps import Moment


class AuditEntry(BaseModel):
    """Something that happened. `recorded_at` is when it was sealed; hashes are SHA-256 in hexadecimal.

    Where a patient was asked for, `patient_ids` is that one, and `other_patients` says how many more there were.
    """

    position: int
    kind: str
    occurred_at: Moment
    recorded_at: Moment
    request_id: str | None
    user_id: str | None
    role: str | None
    impersonator: str | None
    patient_ids: Sequence[UUID]
    other_patients: int
    details: dict[str, Any]
    previous: str
    hash: str

    @classmethod
    def of(cls, link: Link, patient_id: UUID | None) -> Self:
        """The entry in its place, as far as it is about this patient."""
        entry = link.entry
        named = [one for one in entry.patient_ids if patient_id in (None, one)]
        return cls(
            position=link.position,
            kind=entry.kind,
            occurred_at=entry.occurred_at,
            recorded_at=link.recorded_at,
            request_id=entry.request_id,
            user_id=entry.user_id,
            role=entry.role,
            impersonator=entry.impersonator,
            patient_ids=named,
            other_patients=len(entry.patient_ids) - len(named),
            details=dict(entry.details),
            previous=link.previous.hex(),
            hash=link.hash.hex(),
        )


class AuditUser(BaseModel):
    """How many entries somebody stands in, on all pages together; null is work without a person."""

    user_id: str | None
    impersonator: str | None
    entries: int
    first_at: Moment
    last_at: Moment


class AuditPage(BaseModel):
    """A page of the trail; `next_cursor` is null on the last one, `by_user` where no patient was asked for."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.AUDIT_PAGE]})

    organization_id: str
    entries: list[AuditEntry]
    next_cursor: int | None
    by_user: list[AuditUser] | None
    timestamp: Moment

    @classmethod
    def of(cls, organization_id: str, found: Found, inquiry: Inquiry, now: datetime) -> Self:
        """A page that is not full is the last."""
        return cls(
            organization_id=organization_id,
            entries=[AuditEntry.of(link, inquiry.patient_id) for link in found.links],
            next_cursor=found.links[-1].position if len(found.links) == inquiry.limit else None,
            by_user=None if found.by_user is None else [AuditUser(**asdict(one)) for one in found.by_user],
            timestamp=now,
        )


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
