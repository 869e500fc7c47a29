"""The wrong tenant on every table and every route."""

import pytest
from services.patients.tests.clinic import HOUR, NOON, Clinic
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from patients.entrypoints.http import router

TENANT_TABLES = (
    "patients",
    "appointments",
    "appointment_types",
    "practitioners",
    "removals",
    "last_runs",
    "patient_documents",
    "stale_documents",
)
PATHS = (
    "patients",
    "patients/with-appointments",
    "patients/by-appointment-type/Physiotherapy",
    "patients/appointment-types/summary",
    "active/summary",
)


@pytest.fixture
async def full_clinic(clinic: Clinic) -> Clinic:
    await clinic.hears(
        clinic.page(clinic.patient(1)),
        clinic.page(clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="7", practitioner_id="8")),
        clinic.page(clinic.type(7, "Physiotherapy")),
        clinic.page(clinic.practitioner(8, "Sam Sample")),
        clinic.removed(patient=2),
        clinic.run(NOON),
        clinic.page(clinic.patient(1)),
    )
    return clinic


async def test_every_table_but_the_outbox_and_the_inbox_is_a_tenant_table(clinic: Clinic) -> None:
    async with clinic.database.transaction() as connection:
        tables = await connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'patients' AND rowsecurity")
        )
        others = await connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'patients' AND NOT rowsecurity")
        )
        assert set(tables.scalars()) == set(TENANT_TABLES)
        assert set(others.scalars()) == {"outbox", "inbox", "alembic_version"}


@pytest.mark.parametrize("table", TENANT_TABLES)
@pytest.mark.parametrize("organization_id", ["org_b", None])
async def test_a_row_of_another_clinic_cannot_be_seen_changed_or_removed(
    full_clinic: Clinic, table: str, organization_id: str | None
) -> None:
    counting = text(f"SELECT count(*) FROM {table}")
    async with full_clinic.database.transaction(organization_id) as connection:
        assert (await connection.execute(counting)).scalar_one() == 0
        for attempt in (f"UPDATE {table} SET organization_id = organization_id", f"DELETE FROM {table}"):
            assert (await connection.execute(text(attempt))).rowcount == 0
    async with full_clinic.database.transaction(full_clinic.organization_id) as connection:
        assert (await connection.execute(counting)).scalar_one() == 1


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_a_row_cannot_be_given_to_another_clinic(full_clinic: Clinic, table: str) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with full_clinic.database.transaction(full_clinic.organization_id) as connection:
            await connection.execute(text(f"UPDATE {table} SET organization_id = 'org_b'"))


def test_the_paths_tried_here_are_all_there_are() -> None:
    assert len(PATHS) == len(router.routes)


@pytest.mark.parametrize("path", PATHS)
async def test_another_clinic_reads_as_not_found_and_its_own_lists_are_empty(full_clinic: Clinic, path: str) -> None:
    theirs, full_clinic.organization_id = full_clinic.organization_id, "org_b"
    refused = await full_clinic.request(f"/api/v1/patients/{theirs}/{path}")
    assert refused.status_code == 404
    assert refused.json()["error"] == "Not found"
    own = await full_clinic.request(f"/api/v1/patients/org_b/{path}")
    assert own.status_code == 200
    assert "Physiotherapy" not in own.text.replace('"appointment_type":"Physiotherapy"', "")
    assert (own.json().get("patients") or own.json().get("appointment_types") or []) == []


@pytest.mark.parametrize("path", PATHS)
async def test_nobody_is_answered_without_the_gateways_signature(full_clinic: Clinic, path: str) -> None:
    response = await full_clinic.client.get(f"/api/v1/patients/{full_clinic.organization_id}/{path}")
    assert response.status_code == 401
