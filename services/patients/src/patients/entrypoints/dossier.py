"""`…/patients/{patient_id}`: what a clinic owes the person it keeps records of."""

import json
from uuid import UUID

from fastapi import APIRouter, Depends
from starlette.responses import Response

from chassis.identity import administrator
from contracts.timestamps import iso
from patients import handlers
from patients.entrypoints.parameters import Asked
from patients.entrypoints.shapes import Dossier, Erasure

router = APIRouter(prefix="/patients/{patient_id}", dependencies=[Depends(administrator)])


@router.get("/export", responses={200: {"model": Dossier}})
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


@router.delete("")
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
