"""Who was shown whose records is on record for good."""

from uuid import UUID, uuid4

import pytest
from services.admin.tests.conftest import Admin
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from contracts.events import PatientRecordsRead

KEPT = text("SELECT event_id, user_id, role, impersonator, route, patient_count, patient_ids FROM record_reads")


def read(organization_id: str, patients: list[UUID]) -> PatientRecordsRead:
    return PatientRecordsRead(
        organization_id=organization_id,
        user_id="user_1",
        role="member",
        impersonator="user_2",
        route="/patients",
        patient_count=len(patients),
        patient_ids=tuple(patients),
    )


async def test_each_read_is_kept_once_and_by_its_own_organization_alone(admin: Admin) -> None:
    reads = [read("org_a", [uuid4() for _ in range(count)]) for count in (1, 1000)]
    await admin.receive(*reads, reads[0], read("org_b", [uuid4()]))
    async with admin.database.transaction("org_a") as transaction:
        rows = [tuple(row) for row in await transaction.execute(KEPT)]
    assert sorted(rows, key=lambda row: row[5]) == [
        (one.event_id, "user_1", "member", "user_2", "/patients", one.patient_count, list(one.patient_ids))
        for one in reads
    ]


@pytest.mark.parametrize(
    "attempt", ["UPDATE record_reads SET user_id = 'nobody'", "DELETE FROM record_reads", "TRUNCATE record_reads"]
)
async def test_not_even_the_service_can_change_what_is_on_record(admin: Admin, attempt: str) -> None:
    await admin.receive(read("org_a", [uuid4()]))
    with pytest.raises(DBAPIError, match="permission denied"):
        async with admin.database.transaction("org_a") as transaction:
            await transaction.execute(text(attempt))
