"""Facts in, within the transaction of one message; `Readings` has what comes out."""

from collections.abc import Collection, Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Executable

from analytics.adapters import removals, upserts
from analytics.adapters.readings import Readings
from analytics.domain.facts import AppointmentFact, PatientFact
from chassis.outbox import announce
from contracts.base import Event
from contracts.events import (
    AppointmentTypesSynced,
    ConnectionChanged,
    PractitionersSynced,
    RecordsRemoved,
    SyncRunChanged,
)
from contracts.records import AppointmentTypeRecord, PractitionerRecord, Removal

PATIENT_FACTS = TypeAdapter(Sequence[PatientFact])
APPOINTMENT_FACTS = TypeAdapter(Sequence[AppointmentFact])
APPOINTMENT_TYPES = TypeAdapter(Sequence[AppointmentTypeRecord])
PRACTITIONERS = TypeAdapter(Sequence[PractitionerRecord])
REMOVALS = TypeAdapter(Sequence[Removal])


class Store(Readings):
    """The service's tables, as one transaction sees them."""

    async def put_patients(self, organization_id: str, facts: Sequence[PatientFact]) -> None:
        """Record what is newer than what is known."""
        page = PATIENT_FACTS.dump_json(facts).decode()
        await self._connection.execute(removals.SHARE, {"organization_id": organization_id})
        await self._connection.execute(upserts.PATIENTS, {"organization_id": organization_id, "facts": page})

    async def put_appointments(self, organization_id: str, facts: Sequence[AppointmentFact]) -> None:
        """Record what is newer than what is known; what has become an erased patient's is let go of."""
        organization, page = {"organization_id": organization_id}, APPOINTMENT_FACTS.dump_json(facts).decode()
        erased = await self._erased(organization_id, {fact.cliniko_patient_id for fact in facts})
        gone = [
            Removal(cliniko_id=fact.cliniko_appointment_id, sequence=fact.sequence)
            for fact in facts
            if fact.cliniko_patient_id in erased
        ]
        await self._connection.execute(removals.CLAIM if gone else removals.SHARE, organization)
        if gone:
            await self._remove(organization_id, "appointment", gone, removals.REMOVE_APPOINTMENTS)
        await self._connection.execute(upserts.APPOINTMENTS, {**organization, "facts": page})

    async def put_appointment_types(self, event: AppointmentTypesSynced) -> None:
        """Record the names that are newer than what is known."""
        page = {
            "organization_id": event.organization_id,
            "records": APPOINTMENT_TYPES.dump_json(event.records).decode(),
        }
        await self._connection.execute(upserts.APPOINTMENT_TYPES, page)

    async def put_practitioners(self, event: PractitionersSynced) -> None:
        """Record the names that are newer than what is known."""
        page = {"organization_id": event.organization_id, "records": PRACTITIONERS.dump_json(event.records).decode()}
        await self._connection.execute(upserts.PRACTITIONERS, page)

    async def remove(self, event: RecordsRemoved) -> None:
        """Let go of the records, unless something newer is known of them."""
        await self._connection.execute(removals.CLAIM, {"organization_id": event.organization_id})
        await self._remove(event.organization_id, "patient", event.patients, removals.REMOVE_PATIENTS)
        await self._remove(event.organization_id, "appointment", event.appointments, removals.REMOVE_APPOINTMENTS)

    async def erase(self, organization_id: str, cliniko_patient_id: str, now: datetime) -> None:
        """Let go of a patient's facts and figures, and keep out whatever else comes of them."""
        patient = {"organization_id": organization_id, "cliniko_patient_id": cliniko_patient_id}
        await self._connection.execute(removals.CLAIM, {"organization_id": organization_id})
        await self._connection.execute(removals.KEEP_OUT, {**patient, "now": now})
        for statement in (removals.ERASE_APPOINTMENTS, removals.ERASE_PATIENT):
            await self._connection.execute(statement, patient)
        await self.figures(organization_id, now)

    async def put_run(self, run: SyncRunChanged) -> None:
        """Record the run's state unless a newer one is known."""
        await self._connection.execute(upserts.RUN, run.model_dump())

    async def put_connection(self, connection: ConnectionChanged) -> None:
        """Record the connection's state unless a newer one is known."""
        await self._connection.execute(upserts.CONNECTION, connection.model_dump())

    async def announce(self, event: Event) -> None:
        """Send `event` out once this transaction is committed."""
        await announce(self._connection, "analytics", [event])

    async def _erased(self, organization_id: str, patients: Collection[str]) -> set[str]:
        asked = {"organization_id": organization_id, "patients": sorted(patients)}
        return set((await self._connection.execute(removals.ERASED, asked)).scalars())

    async def _remove(self, organization_id: str, kind: str, gone: Sequence[Removal], statement: Executable) -> None:
        organization, page = {"organization_id": organization_id}, REMOVALS.dump_json(gone).decode()
        await self._connection.execute(removals.REMEMBER, {**organization, "kind": kind, "removals": page})
        await self._connection.execute(statement, {**organization, "ids": [one.cliniko_id for one in gone]})
