"""Facts in, figures out, within the transaction of one message or request."""

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy.ext.asyncio import AsyncConnection

from analytics.adapters import queries, upserts
from analytics.domain.activity import Activity
from analytics.domain.facts import AppointmentFact, PatientFact
from analytics.domain.figures import RECENT, Figures
from chassis.outbox import announce
from contracts.base import Event
from contracts.events import ConnectionChanged, SyncRunChanged

PATIENT_FACTS = TypeAdapter(Sequence[PatientFact])
APPOINTMENT_FACTS = TypeAdapter(Sequence[AppointmentFact])


class Store:
    """The service's tables, as one transaction sees them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put_patients(self, organization_id: str, facts: Sequence[PatientFact]) -> None:
        """Record what is newer than what is known."""
        page = PATIENT_FACTS.dump_json(facts).decode()
        await self._connection.execute(upserts.PATIENTS, {"organization_id": organization_id, "facts": page})

    async def put_appointments(self, organization_id: str, facts: Sequence[AppointmentFact]) -> None:
        """Record what is newer than what is known."""
        page = APPOINTMENT_FACTS.dump_json(facts).decode()
        await self._connection.execute(upserts.APPOINTMENTS, {"organization_id": organization_id, "facts": page})

    async def put_run(self, run: SyncRunChanged) -> None:
        """Record the run's state unless a newer one is known."""
        await self._connection.execute(upserts.RUN, run.model_dump())

    async def put_connection(self, connection: ConnectionChanged) -> None:
        """Record the connection's state unless a newer one is known."""
        await self._connection.execute(upserts.CONNECTION, connection.model_dump())

    async def figures(self, organization_id: str, now: datetime) -> Figures:
        """The clinic's figures at `now`; zeros for one nothing is known of."""
        moment = {"organization_id": organization_id, "now": now, "recent_since": now - RECENT}
        counted = (await self._connection.execute(queries.FIGURES, moment)).mappings().one()
        return Figures(organization_id=organization_id, generated_at=now, **counted)

    async def newest_runs(self, organization_id: str, limit: int, now: datetime) -> list[Activity]:
        """The clinic's runs, whatever became of them, newest first."""
        page = {"organization_id": organization_id, "limit": limit}
        runs = (await self._connection.execute(queries.NEWEST_RUNS, page)).mappings()
        return [Activity(now=now, **run) for run in runs]

    async def announce(self, event: Event) -> None:
        """Send `event` out once this transaction is committed."""
        await announce(self._connection, "analytics", [event])
