"""Answers in the form that is asked for: lists as JSON are put together from texts as the database has them."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel
from starlette.responses import Response

from contracts.timestamps import iso
from patients import handlers
from patients.domain.listing import Listed, Listing, Page
from patients.domain.urgency import urgency
from patients.entrypoints.accepting import CSV, JSON, preferred
from patients.entrypoints.conditional import unchanged, validators
from patients.entrypoints.export import export
from patients.entrypoints.parameters import Asking
from patients.entrypoints.shapes import Patient, PatientWithUrgency
from patients.entrypoints.spreadsheet import NESTED, row


@dataclass(frozen=True)
class Form:
    """How a list shows each of its patients."""

    columns: Sequence[str]
    document: Callable[[Listed, datetime], str]
    by_the_minute: bool = False
    """Whether what it shows changes with the clock alone."""


def _with_urgency(patient: Listed, now: datetime) -> str:
    added = json.dumps(urgency(patient.next_at, now)._asdict())
    return f"{patient.document[:-1]},{added[1:]}"


def _columns(shape: type[Patient]) -> list[str]:
    return [key for key in shape.model_fields if key not in NESTED]


PLAIN = Form(_columns(Patient), lambda patient, _now: patient.document)
URGENT = Form(_columns(PatientWithUrgency), _with_urgency, by_the_minute=True)


async def patient_list(asking: Asking, listing: Listing, form: Form = PLAIN, **more: str) -> Response:
    """The list, or its file, or that it has not changed; `more` are further members of the JSON."""
    wanted = preferred(asking.header("accept"), (JSON, CSV))
    if examined := wanted == CSV or bool(asking.header("if-none-match")):
        version = await handlers.examine(asking.tenant, asking.now)
        headers = validators(asking, version, wanted, by_the_minute=form.by_the_minute)
        if known := unchanged(asking, headers):
            return known
        if wanted == CSV:
            return export(
                asking, listing, headers, form.columns, lambda one: row(form.document(one, asking.now), form.columns)
            )
    page = await handlers.list_patients(listing, asking.tenant, asking.reader, asking.now, examined=examined)
    headers = validators(asking, page.version, JSON, by_the_minute=form.by_the_minute)
    return Response(_json(asking, page, form, more), media_type=JSON, headers=headers)


async def figures(asking: Asking, answer: Callable[[], Awaitable[BaseModel]]) -> Response:
    """What `answer` computes, or that it has not changed; figures name no patient, so nobody is put on record."""
    headers = validators(asking, await handlers.examine(asking.tenant, asking.now), JSON)
    if known := unchanged(asking, headers):
        return known
    return Response((await answer()).model_dump_json(), media_type=JSON, headers=headers)


def _json(asking: Asking, page: Page, form: Form, more: Mapping[str, str]) -> str:
    patients = ",".join(form.document(patient, asking.now) for patient in page.patients)
    members = {
        "organization_id": json.dumps(asking.tenant.organization_id),
        "patients": f"[{patients}]",
        "total_count": str(page.total_count),
        "timestamp": json.dumps(iso(asking.now)),
        "next_cursor": json.dumps(page.end and asking.seal.cursor(page.end)),
        **{name: json.dumps(value) for name, value in more.items()},
    }
    body = ",".join(f'"{name}":{value}' for name, value in members.items())
    return f"{{{body}}}"
