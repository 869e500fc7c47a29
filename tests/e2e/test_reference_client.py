"""The TypeScript example of the API reference, as it stands, run against the system by Node and by a browser."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import RIDGE, System
from tests.e2e.browser import COMMAND, browser
from tests.e2e.frontends import replica, serving

pytestmark = pytest.mark.e2e
EXAMPLE = Path(__file__).with_name("reference_client.ts")
COMPILER, NODE = shutil.which("tsc"), shutil.which("node")
OPTIONS = ("--strict", "--target", "es2022", "--module", "es2022", "--moduleDetection", "force")
MORE = """
const patients = await api.getPatients();
console.log(`Listed patients: ${patients.total_count}`);
const started = await api.triggerSync();
console.log(`Started: ${started.sync_id}`);
"""


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The example in JavaScript, and calls of the methods that it shows but does not use."""
    if COMPILER is None or NODE is None:
        assert os.environ.get("ROUTIQ_REQUIRE_TYPESCRIPT") != "1", "Node and TypeScript are required, and not installed"
        pytest.skip("Node and TypeScript (Debian: node-typescript) are not installed")
    directory = tmp_path_factory.mktemp("client")
    source = directory / "client.ts"
    source.write_text(EXAMPLE.read_text() + MORE)
    done = subprocess.run([COMPILER, *OPTIONS, str(source)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    return source.with_suffix(".js").read_text()


def filled_in(script: str, base: str, token: str) -> str:
    """With what its reader is meant to fill in: where the system is, the clinic, and a session's token."""
    for placeholder, value in (
        ("https://routiq-backend-prod.up.railway.app", base),
        ("org_2xwHiNrj68eaRUlX10anlXGvzX7", RIDGE),
        ("your-jwt-token", token),
    ):
        assert script.count(placeholder) == 1
        script = script.replace(placeholder, value)
    return script


def as_expected(system: System, said: list[str]) -> None:
    """The example's own line and ours; the sync it has started is seen to its end."""
    active = system.get(f"/api/v1/dashboard/{RIDGE}", RIDGE)["summary"]["active_patients"]
    assert active > 0
    assert said[:2] == [f"Active patients: {active}", f"Listed patients: {active}"]
    system.until_completed(RIDGE, said[2].removeprefix("Started: "))


def test_it_runs_in_node(system: System, compiled: str, tmp_path: Path) -> None:
    assert NODE
    script = tmp_path / "client.mjs"
    script.write_text(filled_in(compiled, system.url(""), system.token(RIDGE)))
    done = subprocess.run([NODE, str(script)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    as_expected(system, done.stdout.splitlines())


@pytest.fixture
def origin_and_files() -> Iterator[tuple[str, dict[str, str]]]:
    """A frontend's origin, and the files there: more may be added."""
    files = {"/": '<!doctype html><script type="module" src="/client.js"></script>'}
    with serving(files) as origin:
        yield origin, files


def test_it_runs_in_a_browser(system: System, compiled: str, origin_and_files: tuple[str, dict[str, str]]) -> None:
    if COMMAND is None:
        pytest.skip("no Chromium on this machine")
    origin, files = origin_and_files
    with replica(system, ALLOWED_ORIGINS=origin) as gateway, browser() as page:
        ended = "\nglobalThis.ended = true;"
        files["/client.js"] = filled_in(compiled, gateway, system.token(RIDGE)) + ended
        page.open(f"{origin}/")
        page.until("globalThis.ended === true")
    assert page.complaints == []
    as_expected(system, page.said)
