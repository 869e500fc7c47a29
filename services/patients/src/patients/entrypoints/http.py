"""`/api/v1/patients/*`."""

from dataclasses import asdict, replace
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from patients import handlers
from patients.domain.wording import storable
from patients.entrypoints import dossier
from patients.entrypoints.accepting import CSV
from patients.entrypoints.answers import URGENT, figures, patient_list
from patients.entrypoints.parameters import Asked, AskedList
from patients.entrypoints.shapes import (
    ActivePatients,
    PatientList,
    PatientListOfType,
    PatientListWithUrgency,
    TypesGroup,
    TypesGroups,
)

router = APIRouter(prefix="/api/v1/patients/{organization_id}", tags=["Patients"])


def _answers(shape: type[BaseModel], **forms: Any) -> dict[int | str, dict[str, Any]]:
    unchanged = "What was sent under the ETag in If-None-Match is still true."
    return {200: {"model": shape, **forms}, 304: {"description": unchanged}}


def _list_answers(shape: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    whole = {"schema": {"type": "string"}, "example": "id,name,phone\r\n"}
    return _answers(shape, content={CSV: whole}, description="A page as JSON, or as CSV all that match.")


@router.get("/patients", responses=_list_answers(PatientList))
async def list_patients(asked: Asked, listing: AskedList) -> Response:
    """Active patients, the one who comes next first."""
    return await patient_list(asked, listing)


@router.get("/patients/with-appointments", responses=_list_answers(PatientListWithUrgency))
async def list_patients_with_appointments(asked: Asked, listing: AskedList) -> Response:
    """The same list with how soon each patient comes."""
    return await patient_list(asked, listing, URGENT)


@router.get("/patients/by-appointment-type/{appointment_type:path}", responses=_list_answers(PatientListOfType))
async def list_patients_by_appointment_type(asked: Asked, listing: AskedList, appointment_type: str) -> Response:
    """Those whose next or primary appointment type has exactly this name, which may hold a slash."""
    of_type = replace(listing, appointment_type=storable(appointment_type))
    return await patient_list(asked, of_type, appointment_type=appointment_type)


@router.get("/patients/appointment-types/summary", responses=_answers(TypesGroups))
async def summarize_appointment_types(asked: Asked) -> Response:
    """Active patients by their next and their primary appointment type."""

    async def answer() -> TypesGroups:
        summaries = await handlers.summarize_appointment_types(asked.tenant)
        groups = [TypesGroup.model_validate(summary, from_attributes=True) for summary in summaries]
        organization_id = asked.tenant.organization_id
        return TypesGroups(
            organization_id=organization_id, appointment_types=groups, total_types=len(groups), timestamp=asked.now
        )

    return await figures(asked, answer)


@router.get("/active/summary", responses=_answers(ActivePatients))
async def summarize_active_patients(asked: Asked) -> Response:
    """How many patients are active, and how much so."""

    async def answer() -> ActivePatients:
        summary = await handlers.summarize_active_patients(asked.tenant)
        return ActivePatients(organization_id=asked.tenant.organization_id, **asdict(summary), timestamp=asked.now)

    return await figures(asked, answer)


router.include_router(dossier.router)
