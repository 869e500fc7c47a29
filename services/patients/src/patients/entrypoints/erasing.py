"""`python -m patients erase-again`: run where the service runs, against its own schema, after a backup was restored.

Each line is a JSON array of an organization's id and a patient's id in Cliniko. All other services are told by events,
which wait in the outbox for the service's relay. Doing everything twice changes nothing.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from chassis.database import Database
from chassis.settings import ServiceSettings
from patients import handlers
from patients.adapters.tenant import Tenant
from patients.domain.reader import Reader

OPERATOR = Reader(user_id="routiq-restore", role="admin", impersonator=None, request_id=None, route="restore")
"""On whose account it is put on record: nobody asked for it in a request."""


async def erase_again(settings: ServiceSettings, lines: Iterable[str]) -> None:
    """One transaction for each."""
    database = Database(settings.database_url.get_secret_value(), "patients", connections=1)
    try:
        for organization_id, cliniko_patient_id in map(json.loads, lines):
            async with database.transaction(organization_id) as connection:
                tenant = Tenant(connection, organization_id)
                await handlers.erase_again(cliniko_patient_id, tenant, OPERATOR, datetime.now(UTC))
    finally:
        await database.close()
