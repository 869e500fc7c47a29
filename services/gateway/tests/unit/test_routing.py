import pytest

from gateway.domain.routing import NOWHERE, Access, match


@pytest.mark.parametrize(
    ("path", "service", "organization_id"),
    [
        ("/api/v1/patients/org_a/patients", "patients", "org_a"),
        ("/api/v1/patients/org_a/patients/by-appointment-type/Physio/Long", "patients", "org_a"),
        ("/api/v1/patients/org_a", "patients", "org_a"),
        ("/api/v1/dashboard/org_a", "analytics", "org_a"),
        ("/api/v1/dashboard/org_a/summary", "analytics", "org_a"),
        ("/api/v1/sync/history/org_a", "sync", "org_a"),
        ("/api/v1/sync/rejected/org_a", "sync", "org_a"),
        ("/api/v1/sync/schedule/org_a/pause", "sync", "org_a"),
        ("/api/v1/sync/progress/sync_org_a_20250630_120000", "sync", None),
        ("/api/v1/sync/trigger", "sync", None),
        ("/api/v1/sync/scheduler/status", "sync", None),
        ("/api/v1/cliniko/connection/org_a", "sync", "org_a"),
        ("/api/v1/cliniko/sync/org_a", "sync", "org_a"),
        ("/api/v1/admin/monitoring/system-health", "admin", None),
        ("/api/v1/auth/verify", "gateway", None),
        ("/api/v1/auth/organization/org_a/access", "gateway", "org_a"),
    ],
)
def test_a_path_leads_to_its_service_and_names_its_organization(
    path: str, service: str, organization_id: str | None
) -> None:
    found = match(path)
    assert (found.route.service, found.organization_id) == (service, organization_id)


@pytest.mark.parametrize(
    "path",
    ["", "*", "/api", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v1/patients", "/api/v2/patients/org_a/x", "//"],
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert match(path).route is NOWHERE


def test_only_operators_use_the_administration() -> None:
    assert match("/api/v1/admin/anything").route.access is Access.OPERATORS


def test_an_empty_organization_is_still_one_the_path_names() -> None:
    assert match("/api/v1/dashboard/").organization_id == ""
