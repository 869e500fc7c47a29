"""`/api/v1/patients/*`."""

from dataclasses import asdict, replace

from fastapi import APIRouter
from starlette.responses import Response

from patients import handlers
from patients.domain.wording import storable
from patients.entrypoints.answers import patient_list, patient_list_with_urgency
from patients.entrypoints.parameters import Asked, Now, OwnTenant
from patients.entrypoints.shapes import (
    ActivePatients,
    PatientList,
    PatientListOfType,
    PatientListWithUrgency,
    TypesGroup,
    TypesGroups,
)

router = APIRouter(prefix="/api/v1/patients/{organization_id}", tags=["Patients"])


@router.get("/patients", responses={200: {"model": PatientList}})
async def list_patients(tenant: OwnTenant, now: Now, listing: Asked) -> Response:
    """Active patients, the one who comes next first."""
    page = await handlers.list_patients(listing, tenant, now)
    return patient_list(tenant.organization_id, page, now)


@router.get("/patients/with-appointments", responses={200: {"model": PatientListWithUrgency}})
async def list_patients_with_appointments(tenant: OwnTenant, now: Now, listing: Asked) -> Response:
    """The same list with how soon each patient comes."""
    page = await handlers.list_patients(listing, tenant, now)
    return patient_list_with_urgency(tenant.organization_id, page, now)


@router.get("/patients/by-appointment-type/{appointment_type:path}", responses={200: {"model": PatientListOfType}})
async def list_patients_by_appointment_type(
    tenant: OwnTenant, now: Now, listing: Asked, appointment_type: str
) -> Response:
    """Those whose next or primary appointment type has exactly this name, which may hold a slash."""
    page = await handlers.list_patients(replace(listing, appointment_type=storable(appointment_type)), tenant, now)
    return patient_list(tenant.organization_id, page, now, appointment_type=appointment_type)


@router.get("/patients/appointment-types/summary")
async def summarize_appointment_types(tenant: OwnTenant, now: Now) -> TypesGroups:
    """Active patients by their next and their primary appointment type."""
    groups = [
        TypesGroup.model_validate(summary, from_attributes=True)
        for summary in await handlers.summarize_appointment_types(tenant, now)
    ]
    return TypesGroups(
        organization_id=tenant.organization_id, appointment_types=groups, total_types=len(groups), timestamp=now
    )


@router.get("/active/summary")
async def summarize_active_patients(tenant: OwnTenant, now: Now) -> ActivePatients:
    """How many patients are active, and how much so."""
    summary = await handlers.summarize_active_patients(tenant, now)
    return ActivePatients(organization_id=tenant.organization_id, **asdict(summary), timestamp=now)
