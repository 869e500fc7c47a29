"""The service itself sees one organization at a time; only sums cross."""

import pytest
from services.admin.tests.conftest import Admin, connection, figures
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

ORGANIZATIONS = text("SELECT organization_id FROM organizations")
FUNCTIONS = text("""
    SELECT proname, has_function_privilege('public', oid, 'EXECUTE') AS for_everybody, proconfig
    FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prosecdef
""")


@pytest.fixture
async def two(admin: Admin) -> Admin:
    await admin.receive(connection("org_a"), figures("org_a", 10, 1), connection("org_b"), figures("org_b", 20, 2))
    return admin


async def test_a_transaction_sees_its_own_organization_alone(two: Admin) -> None:
    for organization_id, seen in (("org_a", ["org_a"]), ("org_b", ["org_b"]), ("org_c", []), (None, [])):
        async with two.database.transaction(organization_id) as transaction:
            assert list(await transaction.scalars(ORGANIZATIONS)) == seen


async def test_no_row_can_be_given_to_another_organization(two: Admin) -> None:
    with pytest.raises(DBAPIError, match="row-level security"):
        async with two.database.transaction("org_a") as transaction:
            await transaction.execute(text("UPDATE organizations SET organization_id = 'org_c'"))


async def test_what_looks_across_organizations_is_for_this_service_alone(two: Admin) -> None:
    async with two.database.transaction() as transaction:
        functions = (await transaction.execute(FUNCTIONS)).all()
    assert {name for name, _, _ in functions} == {
        "platform_figures",
        "positions_of_patient",
        "next_audited",
        "count_audited",
        "forget_audited",
    }
    assert {(everybody, *config) for _, everybody, config in functions} == {(False, "search_path=admin, pg_temp")}
