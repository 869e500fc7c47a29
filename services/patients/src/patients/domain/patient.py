"""A patient as this service keeps one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import NAMESPACE_URL, UUID, uuid5

from contracts.records import PatientRecord
from patients.domain import search
from patients.domain.wording import full_name, preferred_phone, trimmed


@dataclass(frozen=True)
class Patient:
    """A row of `patients`."""

    cliniko_patient_id: str
    patient_id: UUID
    name: str
    name_order: str
    phone: str | None
    email: str | None
    search_text: str
    archived_at: datetime | None
    deleted_at: datetime | None
    merged_at: datetime | None
    created_at: datetime
    updated_at: datetime
    sequence: int
    changed_at: datetime

    @classmethod
    def of(cls, organization_id: str, record: PatientRecord, changed_at: datetime) -> Self:
        """What `record` says; `changed_at` is when the sync landed it."""
        name = full_name(record.first_name, record.last_name, record.cliniko_patient_id)
        phone, email = preferred_phone(record.phone_numbers), trimmed(record.email)
        return cls(
            cliniko_patient_id=record.cliniko_patient_id,
            patient_id=patient_id(organization_id, record.cliniko_patient_id),
            name=name,
            name_order=name.lower(),
            phone=phone,
            email=email,
            search_text=search.searchable(name, email, phone),
            archived_at=record.archived_at,
            deleted_at=record.deleted_at,
            merged_at=record.merged_at,
            created_at=record.created_at,
            updated_at=record.updated_at,
            sequence=record.sequence,
            changed_at=changed_at,
        )


def patient_id(organization_id: str, cliniko_patient_id: str) -> UUID:
    """The same for ever, however often the service's tables are made anew."""
    return uuid5(NAMESPACE_URL, f"routiq:{organization_id}:{cliniko_patient_id}")
