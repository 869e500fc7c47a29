"""The whole of docker-compose.yml, with the demo, in containers: where there is a Docker engine."""

import shutil
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest
from tests.deploy import variables
from tests.deploy.composition import SERVICES, WORKSPACE

if TYPE_CHECKING:
    from testcontainers.compose import DockerCompose

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]  # images are fetched and built

TOKEN = """
import json, urllib.request as web
body = json.dumps({"org": "org_demo_harbour", "role": "member"}).encode()
asked = web.Request("http://clerk:8011/tokens", body, {"content-type": "application/json"})
print(json.load(web.urlopen(asked))["token"])
"""


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[DockerCompose]":
    compose = pytest.importorskip("testcontainers.compose", reason="testcontainers is not installed")
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("there is no `docker compose`")
    if subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
        pytest.skip("no Docker engine answers")
    settings = tmp_path_factory.mktemp("composed") / "env"
    settings.write_text("".join(f"{name}={value}\n" for name, value in variables.made().items()))
    with pytest.MonkeyPatch.context() as environment:
        # Its volumes go at the end: they must not be those of a Routiq that somebody runs here.
        environment.setenv("COMPOSE_PROJECT_NAME", "routiq-test")
        with compose.DockerCompose(WORKSPACE, build=True, wait=True, env_file=str(settings)) as running:
            yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[httpx.Client]:
    """Of a person who accepts that the demo's certificate is nobody's."""
    with httpx.Client(base_url="https://localhost", verify=False, trust_env=False) as client:  # noqa: S501 - see above
        yield client


@pytest.mark.usefixtures("composed")
def test_http_leads_to_https() -> None:
    answer = httpx.get("http://localhost/docs", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "https://localhost/docs")


@pytest.mark.usefixtures("composed")
def test_the_gateway_and_its_documents_are_reached_and_its_figures_are_not(browser: httpx.Client) -> None:
    health = browser.get("/health")
    assert health.json()["status"] == "healthy"
    assert health.headers["strict-transport-security"].startswith("max-age=63072000")
    assert browser.get("/docs").status_code == 200
    assert browser.get("/metrics").status_code == 404


def test_a_person_of_a_clinic_reads_what_was_synced(composed: "DockerCompose", browser: httpx.Client) -> None:
    token, _, _ = composed.exec_in_container(["python", "-c", TOKEN], "clerk")
    path = "/api/v1/patients/org_demo_harbour/patients?limit=3"
    answer = browser.get(path, headers={"authorization": f"Bearer {token.strip()}"})
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["patients"]) == 3


def test_no_service_runs_as_root_or_can_write_its_own_code(composed: "DockerCompose") -> None:
    attempt = "import os, pathlib; print(os.getuid()); pathlib.Path('/routiq/x').touch()"
    for service in SERVICES:
        with pytest.raises(subprocess.CalledProcessError) as refused:
            composed.exec_in_container(["python", "-c", attempt], service)
        assert refused.value.stdout.decode().strip() == "10001"
        assert b"Read-only file system" in refused.value.stderr
