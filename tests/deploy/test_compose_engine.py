"""The whole of docker-compose.yml, with the demo, in containers: where there is a Docker engine."""

import subprocess
from collections.abc import Iterator

import httpx
import pytest
from tests.conftest import HARBOUR
from tests.deploy import composition
from tests.deploy.composition import SERVICES
from tests.deploy.engine import Composed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]  # images are fetched and built


@pytest.fixture(scope="module")
def browser() -> Iterator[httpx.Client]:
    """Of a person who accepts that the demo's certificate is nobody's."""
    with httpx.Client(base_url="https://localhost", verify=False, trust_env=False) as client:  # noqa: S501 - see above
        yield client


@pytest.mark.usefixtures("composed")
def test_http_leads_to_https() -> None:
    answer = httpx.get("http://localhost/docs", trust_env=False)
    assert answer.headers["location"] == "https://localhost/docs"
    assert answer.status_code in (301, 308)  # both are permanent; Traefik's is 301 for a GET, 308 for the others


@pytest.mark.usefixtures("composed")
def test_the_gateway_and_its_documents_are_reached_and_its_figures_are_not(browser: httpx.Client) -> None:
    health = browser.get("/health")
    assert health.json()["status"] == "healthy"
    assert health.headers["strict-transport-security"].startswith("max-age=63072000")
    assert browser.get("/docs").status_code == 200
    assert browser.get("/metrics").status_code == 404


def test_a_person_of_a_clinic_reads_what_was_synced(composed: Composed, browser: httpx.Client) -> None:
    path = "/api/v1/patients/org_demo_harbour/patients?limit=3"
    answer = browser.get(path, headers={"authorization": f"Bearer {composed.token(HARBOUR, 'member')}"})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["patients"]) == 3


def test_no_service_runs_as_root_or_can_write_its_own_code(composed: Composed) -> None:
    attempt = "import os, pathlib; print(os.getuid()); pathlib.Path('/routiq/x').touch()"
    for service in SERVICES:
        refused = composed.compose("exec", "-T", service, "python", "-c", attempt, check=False)
        assert refused.returncode != 0
        assert refused.stdout.strip() == "10001"
        assert "Read-only file system" in refused.stderr


def test_the_steps_of_an_upgrade_leave_everything_at_work(composed: Composed, browser: httpx.Client) -> None:
    for step in composition.upgrade()[1:]:
        subprocess.run(step, shell=True, cwd=composition.WORKSPACE, env=composed.environment, check=True)  # noqa: S602
    assert browser.get("/health").json()["status"] == "healthy"


def test_the_release_before_starts_on_a_newer_schema(composed: Composed) -> None:
    """Going back: its `migrations` ends well, or nothing that waits for it would start."""
    newer = "UPDATE patients.alembic_version SET version_num = '9999'"
    known = composed.compose(*_psql("SELECT version_num FROM patients.alembic_version")).stdout.strip()
    composed.compose(*_psql(newer))
    try:
        assert "patients is of a newer release" in composed.compose("run", "--rm", "--no-deps", "migrations").stdout
    finally:
        composed.compose(*_psql(f"UPDATE patients.alembic_version SET version_num = '{known}'"))


def _psql(statement: str) -> tuple[str, ...]:
    return ("exec", "-T", "postgres", "psql", "-U", "routiq", "-d", "routiq", "-Atc", statement)
