"""What operators read."""

from typing import Any

from services.admin.tests.conftest import Admin, admin_at, connection, figures, run

PATH = "/api/v1/admin/monitoring/system-health"


async def health(admin: Admin) -> dict[str, Any]:
    response = await admin.get(PATH)
    assert response.status_code == 200
    document: dict[str, Any] = response.json()
    assert isinstance(document.pop("timestamp"), str)
    return document


async def test_the_platform_reads_as_the_reference_says(admin: Admin) -> None:
    await admin.receive(connection("org_a"), figures("org_a", 650, 37), run("org_a", "completed"))
    await admin.receive(connection("org_b", valid=False), figures("org_b", 350, 20))
    await admin.receive(connection("org_c", connected=False, valid=False), figures("org_c", 5, 0))

    assert await health(admin) == {
        "database": {"status": "healthy", "connected": True},
        "metrics": {
            "total_organizations": 3,
            "total_patients": 1005,
            "active_patients": 57,
            "configured_services": {"cliniko": 2, "chatwoot": 0},
        },
        "integrations": {"cliniko": {"status": "degraded", "total_connections": 2, "healthy_connections": 1}},
    }


async def test_a_platform_without_organizations_reads_as_zeros(admin: Admin) -> None:
    document = await health(admin)
    assert document["metrics"]["total_patients"] == document["metrics"]["total_organizations"] == 0
    assert document["integrations"]["cliniko"]["status"] == "not_configured"


async def test_only_operators_read_it(admin: Admin) -> None:
    response = await admin.get(PATH, operator=False)
    assert response.status_code == 403
    assert set(response.json()) == {"error", "detail", "timestamp", "path"}


async def test_it_answers_while_the_database_is_away() -> None:
    assert await health(admin_at("postgresql://nobody:none@127.0.0.1:1/nothing")) == {
        "database": {"status": "unhealthy", "connected": False},
        "metrics": {
            "total_organizations": None,
            "total_patients": None,
            "active_patients": None,
            "configured_services": {"cliniko": None, "chatwoot": 0},
        },
        "integrations": {"cliniko": {"status": None, "total_connections": None, "healthy_connections": None}},
    }
