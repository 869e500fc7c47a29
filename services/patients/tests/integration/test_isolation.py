"""The wrong tenant on every table and every route, as the catalogue and the router name them."""

from collections.abc import Sequence
from typing import Any

import pytest
from fastapi.routing import APIRoute
from services.patients.tests.clinic import HOUR, NOON, Clinic
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from patients.domain.patient import patient_id
from patients.entrypoints.http import router

WITHOUT_TENANTS = {"outbox", "inbox", "undone_times", "alembic_version"}
"""The first two hold events on their way, which are read by their ids; the third holds times that are everybody's, the
last is out of the service's reach."""
TENANT_TABLES = text("""
    SELECT relname FROM pg_class
    WHERE relnamespace = 'patients'::regnamespace AND relkind IN ('r', 'p') AND relname <> ALL(:others)
    ORDER BY relname
""")
UNGUARDED = text("""
    SELECT relname FROM pg_class AS relation
    WHERE relnamespace = 'patients'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT (
        relrowsecurity
        AND (SELECT bool_and(polpermissive AND polcmd = '*' AND polroles = '{0}') FROM pg_policy
             WHERE polrelid = relation.oid)
    )
""")
ROLE = text("""
    SELECT rolsuper, rolbypassrls, rolcreaterole,
        (SELECT count(*) FROM pg_class WHERE relowner = pg_roles.oid) AS owned,
        (SELECT count(*) FROM pg_auth_members WHERE member = pg_roles.oid) AS memberships
    FROM pg_roles WHERE rolname = current_user
""")
WRITABLE = text("""
    SELECT attname FROM pg_attribute
    WHERE attrelid = CAST(:table AS text)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attname <> 'organization_id', attnum
""")
OF_PATIENTS = text("""
    SELECT table_name FROM information_schema.columns
    WHERE table_schema = 'patients' AND column_name = 'cliniko_patient_id'
""")
FUNCTIONS = text("""
    SELECT proname, has_function_privilege('public', oid, 'EXECUTE'), proconfig
    FROM pg_proc WHERE pronamespace = 'patients'::regnamespace AND prosecdef
""")
ROUTES = {
    (method, route.path.partition("{organization_id}/")[2].replace("{appointment_type:path}", "Physiotherapy"))
    for route in router.routes
    if isinstance(route, APIRoute)
    for method in route.methods or ()
}
PATHS = sorted(path for method, path in ROUTES if method == "GET" and "{patient_id}" not in path)
OF_ONE_PATIENT = sorted(ROUTES - {("GET", path) for path in PATHS})


@pytest.fixture
async def full_clinic(clinic: Clinic) -> Clinic:
    """It has rows in every table."""
    await clinic.hears(
        clinic.page(clinic.patient(1)),
        clinic.page(clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="7", practitioner_id="8")),
        clinic.page(clinic.type(7, "Physiotherapy")),
        clinic.page(clinic.practitioner(8, "Sam Sample")),
        clinic.removed(patient=2),
        clinic.run(NOON),
    )
    await clinic.listed()
    await clinic.hears(clinic.page(clinic.patient(1, first_name="Ada"), clinic.patient(3)))
    await clinic.listed()
    await clinic.hears(clinic.page(clinic.patient(3, first_name="Bea"), clinic.patient(4)))
    await clinic.manage("DELETE", address(clinic, 4))
    await clinic.hears(clinic.page(clinic.patient(3, last_name="Bell")))
    return clinic


def address(clinic: Clinic, patient: int) -> str:
    one = patient_id(clinic.organization_id, str(patient))
    return f"/api/v1/patients/{clinic.organization_id}/patients/{one}"


async def tenant_tables(clinic: Clinic) -> Sequence[str]:
    async with clinic.database.transaction() as connection:
        tables: Sequence[str] = (await connection.scalars(TENANT_TABLES, {"others": list(WITHOUT_TENANTS)})).all()
    assert len(tables) >= 9
    return tables


async def rows(clinic: Clinic, organization_id: str | None) -> dict[str, Any]:
    """How many of every tenant table an organization sees."""
    tables = await tenant_tables(clinic)
    counts = ", ".join(f"(SELECT count(*) FROM {table}) AS {table}" for table in tables)
    async with clinic.database.transaction(organization_id) as connection:
        return dict((await connection.execute(text(f"SELECT {counts}"))).mappings().one())


async def test_every_table_is_guarded_but_those_that_name_no_tenant(clinic: Clinic) -> None:
    async with clinic.database.transaction() as connection:
        assert set(await connection.scalars(UNGUARDED)) == WITHOUT_TENANTS


@pytest.mark.parametrize("named", [True, False])
async def test_a_row_of_another_clinic_cannot_be_seen_changed_or_removed(full_clinic: Clinic, named: bool) -> None:
    organization_id = f"{full_clinic.organization_id}_b" if named else None
    before = await rows(full_clinic, full_clinic.organization_id)
    empty = [table for table, count in before.items() if count == 0]
    assert empty == [], "full_clinic wants a row in each table"
    assert not any((await rows(full_clinic, organization_id)).values())
    for table in await tenant_tables(full_clinic):
        async with full_clinic.database.transaction(organization_id) as connection:
            for attempt in (f"UPDATE {table} SET organization_id = organization_id", f"DELETE FROM {table}"):
                assert (await connection.execute(text(attempt))).rowcount == 0
    assert await rows(full_clinic, full_clinic.organization_id) == before


async def test_no_row_can_be_given_to_another_clinic(full_clinic: Clinic) -> None:
    for table in await tenant_tables(full_clinic):
        with pytest.raises(ProgrammingError, match="row-level security"):
            async with full_clinic.database.transaction(full_clinic.organization_id) as connection:
                await connection.execute(text(f"UPDATE {table} SET organization_id = 'org_b'"))


async def insert_for_another(clinic: Clinic, table: str) -> None:
    async with clinic.database.transaction(clinic.organization_id) as connection:
        columns = ", ".join(await connection.scalars(WRITABLE, {"table": table}))
        own = f"SELECT {columns} FROM {table}".replace("organization_id", "'org_b'", 1)
        await connection.execute(text(f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE {own}"))


async def test_no_row_can_be_made_for_another_clinic(full_clinic: Clinic) -> None:
    for table in await tenant_tables(full_clinic):
        with pytest.raises(ProgrammingError, match="row-level security"):
            await insert_for_another(full_clinic, table)


async def test_no_table_keeps_anything_of_an_erased_patient(full_clinic: Clinic) -> None:
    """Of which none is empty before: a new table is found here when erasing leaves it out."""
    for number in range(1, 4):
        erased = await full_clinic.manage("DELETE", address(full_clinic, number))
        assert erased.status_code == (404 if number == 2 else 200)
    async with full_clinic.database.transaction(full_clinic.organization_id) as connection:
        tables = set(await connection.scalars(OF_PATIENTS)) - {"erasures"}
        kept = {table for table in tables if await connection.scalar(text(f"SELECT count(*) FROM {table}"))}
    assert kept == set(), "`dossier.py` erases, and shows what is kept"


async def test_the_services_role_is_bound_by_the_policies_and_owns_nothing(clinic: Clinic) -> None:
    async with clinic.database.transaction() as connection:
        role = (await connection.execute(ROLE)).mappings().one()
        assert {name: bool(value) for name, value in role.items()} == dict.fromkeys(role, False)


@pytest.mark.parametrize(
    "attempt",
    [
        "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_organization ON {table}",
        "CREATE POLICY everything ON {table} USING (true)",
        "ALTER TABLE {table} DISABLE TRIGGER ALL",
        "TRUNCATE {table}",
        "DROP TABLE {table}",
    ],
)
async def test_the_service_cannot_take_the_guard_away(clinic: Clinic, attempt: str) -> None:
    for table in await tenant_tables(clinic):
        with pytest.raises(ProgrammingError, match=r"must be owner|permission denied"):
            async with clinic.database.transaction(clinic.organization_id) as connection:
                await connection.execute(text(attempt.format(table=table)))


@pytest.mark.parametrize(
    "attempt", ["ALTER ROLE routiq_patients BYPASSRLS", "SET ROLE routiq_admin", "SELECT * FROM admin.organizations"]
)
async def test_the_service_cannot_become_another(clinic: Clinic, attempt: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be superuser|must have"):
        async with clinic.database.transaction(clinic.organization_id) as connection:
            await connection.execute(text(attempt))


async def read_without_row_security(clinic: Clinic, table: str) -> None:
    async with clinic.database.transaction(clinic.organization_id) as connection:
        await connection.execute(text("SET LOCAL row_security = off"))
        await connection.execute(text(f"SELECT * FROM {table}"))


async def test_row_security_switched_off_is_an_error_and_shows_nothing(full_clinic: Clinic) -> None:
    for table in await tenant_tables(full_clinic):
        with pytest.raises(ProgrammingError, match="row-level security"):
            await read_without_row_security(full_clinic, table)


async def test_what_works_for_all_clinics_at_once_is_for_this_service_alone(clinic: Clinic) -> None:
    async with clinic.database.transaction() as connection:
        functions = (await connection.execute(FUNCTIONS)).all()
    assert [tuple(function) for function in functions] == [
        ("tidy_reading", False, ["search_path=patients, pg_temp"]),
    ]


def test_every_route_is_tried_here() -> None:
    assert len(PATHS) + len(OF_ONE_PATIENT) == len(router.routes) >= 7
    assert not any("{" in path for path in PATHS)


@pytest.mark.parametrize("accept", ["application/json", "text/csv"])
@pytest.mark.parametrize("path", PATHS)
async def test_another_clinic_reads_as_not_found_and_its_own_lists_are_empty(
    full_clinic: Clinic, path: str, accept: str
) -> None:
    theirs, full_clinic.organization_id = full_clinic.organization_id, "org_b"
    wanted = {"accept": accept}
    refused = await full_clinic.request(f"/api/v1/patients/{theirs}/{path}", wanted)
    assert refused.status_code == 404
    assert refused.json()["error"] == "Not found"
    own = await full_clinic.request(f"/api/v1/patients/org_b/{path}", wanted)
    assert own.status_code == 200
    assert not any(known in own.text for known in ("Ada", "Bea", "Sam Sample", theirs))
    if own.headers["content-type"] == "application/json":
        answer = own.json()
        assert (answer.get("patients") or answer.get("appointment_types") or []) == []
    else:
        assert own.text.count("\r\n") == 1


@pytest.mark.parametrize(("method", "path"), OF_ONE_PATIENT)
async def test_another_clinics_administrator_reaches_no_patient(full_clinic: Clinic, method: str, path: str) -> None:
    theirs, full_clinic.organization_id = full_clinic.organization_id, "org_b"
    for named in (theirs, "org_b"):
        one = path.format(patient_id=patient_id(theirs, "1"))
        refused = await full_clinic.manage(method, f"/api/v1/patients/{named}/{one}")
        assert refused.status_code == 404
        assert "Ada" not in refused.text
    full_clinic.organization_id = theirs
    assert "Ada" in [patient["name"] for patient in await full_clinic.listed(active="all")]


@pytest.mark.parametrize("path", PATHS)
async def test_nobody_is_answered_without_the_gateways_signature(full_clinic: Clinic, path: str) -> None:
    response = await full_clinic.client.get(f"/api/v1/patients/{full_clinic.organization_id}/{path}")
    assert response.status_code == 401
