"""Answers put together from JSON texts as they come from the database, never parsed on the way."""

import json
from collections.abc import Iterable
from datetime import datetime

from starlette.responses import Response

from contracts.timestamps import iso
from patients.domain.listing import Listed, Page
from patients.domain.urgency import urgency
from patients.entrypoints.cursor import cursor


def patient_list(organization_id: str, page: Page, now: datetime, **more: str) -> Response:
    """`PatientList`; `more` are further members."""
    return _listing(organization_id, (patient.document for patient in page.patients), page, now, more)


def patient_list_with_urgency(organization_id: str, page: Page, now: datetime) -> Response:
    """`PatientListWithUrgency`."""
    return _listing(organization_id, (_with_urgency(patient, now) for patient in page.patients), page, now, {})


def _listing(
    organization_id: str, patients: Iterable[str], page: Page, now: datetime, more: dict[str, str]
) -> Response:
    members = {
        "organization_id": json.dumps(organization_id),
        "patients": f"[{','.join(patients)}]",
        "total_count": str(page.total_count),
        "timestamp": json.dumps(iso(now)),
        "next_cursor": json.dumps(page.end and cursor(page.end)),
        **{name: json.dumps(value) for name, value in more.items()},
    }
    body = ",".join(f'"{name}":{value}' for name, value in members.items())
    return Response(f"{{{body}}}", media_type="application/json")


def _with_urgency(patient: Listed, now: datetime) -> str:
    added = json.dumps(urgency(patient.next_at, now)._asdict())
    return f"{patient.document[:-1]},{added[1:]}"
