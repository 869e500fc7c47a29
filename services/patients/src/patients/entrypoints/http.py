"""`/api/v1/patients/*`."""

import json
from dataclasses import asdict, replace
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel
from starlette.responses import Response

from chassis.identity import administrator
from contracts.timestamps import iso
from patients import handlers
from patients.domain.wording import storable
from patients.entrypoints.accepting import CSV
from patients.entrypoints.answers import URGENT, figures, patient_list
from patients.entrypoints.parameters import Asked, WantedList
from patients.entrypoints.shapes import (
    ActivePatients,
    Dossier,
    Erasure,
    PatientList,
    PatientListOfType,
    PatientListWithUrgency,
    TypesGroup,
    TypesGroups,
)

router = APIRouter(prefix="/api/v1/patients/{organization_id}", tags=["Patients"])

_FOR_ADMINISTRATORS = Depends(administrator)


def _answers(shape: type[BaseModel], **forms: Any) -> dict[int | str, dict[str, Any]]:
    unchanged = "What was sent under the ETag in If-None-Match is still true."
    return {200: {"model": shape, **forms}, 304: {"description": unchanged}}


def _list_answers(shape: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    whole = {"schema": {"type": "string"}, "example": "id,name,phone\r\n"}
    return _answers(shape, content={CSV: whole}, description="A page as JSON, or as CSV all that match.")


@router.get("/patients", responses=_list_answers(PatientList))
async def list_patients(asked: Asked, wanted: WantedList) -> Response:
    """Active patients, the one who comes next first."""
    return await patient_list(asked, asked.listing(wanted))


@router.get("/patients/with-appointments", responses=_list_answers(PatientListWithUrgency))
async def list_patients_with_appointments(asked: Asked, wanted: WantedList) -> Response:
    """The same list with how soon each patient comes."""
    return await patient_list(asked, asked.listing(wanted), URGENT)


@router.get("/patients/by-appointment-type/{appointment_type:path}", responses=_list_answers(PatientListOfType))
async def list_patients_by_appointment_type(asked: Asked, wanted: WantedList, appointment_type: str) -> Response:
    """Those whose next or primary appointment type has exactly this name, which may hold a slash."""
    of_type = replace(asked.listing(wanted), appointment_type=storable(appointment_type))
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


@router.get("/patients/{patient_id}/export", dependencies=[_FOR_ADMINISTRATORS], responses={200: {"model": Dossier}})
async def export_patient(asked: Asked, patient_id: UUID) -> Response:
    """Everything Routiq keeps of one patient, cancelled and archived appointments too; for administrators."""
    kept = await handlers.export_patient(patient_id, asked.tenant, asked.reader)
    organization_id, timestamp = json.dumps(asked.tenant.organization_id), json.dumps(iso(asked.now))
    return Response(
        f'{{"organization_id":{organization_id},{kept[1:-1]},"timestamp":{timestamp}}}',
        media_type="application/json",
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="patient-{patient_id}.json"',
        },
    )


@router.delete("/patients/{patient_id}", dependencies=[_FOR_ADMINISTRATORS])
async def erase_patient(asked: Asked, patient_id: UUID) -> Erasure:
    """Erase everything Routiq keeps of one patient, in every service and for good; for administrators.

    Cliniko is not changed, and what it says of the patient later is not taken in again.
    """
    await handlers.erase_patient(patient_id, asked.tenant, asked.reader, asked.now)
    return Erasure(
        success=True,
        message="The patient is erased from Routiq, and will not be taken in from Cliniko again.",
        organization_id=asked.tenant.organization_id,
        patient_id=patient_id,
        timestamp=asked.now,
    )
