"""`routiq deploy`: one service gets the code that is there now, its migrations first, and the others notice nothing."""

from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import HARBOUR, System, running
from tests.deploys.fleet import SERVICES
from tests.deploys.next_release import copy_today, foresee
from tests.deploys.released import python_path

from routiq.plan import WITH_A_DATABASE

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def code(elsewhere: Path) -> Path:
    """What the system below was started from, to be changed under it."""
    return copy_today(elsewhere / "checkout")


@pytest.fixture(scope="module")
def checkout(code: Path) -> Iterator[System]:
    with running("embedded", PYTHONPATH=python_path(code)) as system:
        yield system


async def test_one_service_is_deployed_and_the_others_stay_as_they_are(checkout: System, code: Path) -> None:
    listed = checkout.get(f"/api/v1/patients/{HARBOUR}/patients", HARBOUR)["total_count"]
    before = {name: checkout.process(name)["pid"] for name in SERVICES}
    foresee(code)
    said = checkout.command("deploy", "patients").stdout
    assert said.startswith("patients runs anew; it was away for "), said
    after = {name: checkout.process(name)["pid"] for name in SERVICES}
    assert [name for name in SERVICES if after[name] != before[name]] == ["patients"]
    assert await _revised(checkout) == {"patients"}
    checkout.until_ready()
    assert checkout.get(f"/api/v1/patients/{HARBOUR}/patients", HARBOUR)["total_count"] == listed
    checkout.until_completed(HARBOUR, checkout.start_sync(HARBOUR))


def test_every_service_can_be_deployed_and_no_other_name(checkout: System) -> None:
    for name in SERVICES:
        assert f"{name} runs anew" in checkout.command("deploy", name).stdout
    checkout.until_ready()
    refused = checkout.command("deploy", "postgres", check=False)
    assert refused.returncode == 2
    assert "'gateway', 'patients', 'sync', 'analytics', 'admin'" in " ".join(refused.stderr.replace("│", " ").split())


def test_a_migration_that_fails_leaves_the_service_at_work(checkout: System, code: Path) -> None:
    before = checkout.process("admin")["pid"]
    spoilt = code / "services" / "admin" / "migrations" / "env.py"
    spoilt.write_text("raise SystemExit('spoilt')")
    refused = checkout.command("deploy", "admin", check=False)
    assert (refused.returncode, "spoilt" in refused.stderr) == (1, True), refused.stderr
    assert checkout.process("admin")["pid"] == before


def test_code_that_does_not_start_is_told_and_the_others_go_on_until_it_is_mended(checkout: System, code: Path) -> None:
    before = {name: checkout.process(name)["pid"] for name in SERVICES}
    main = code / "services" / "analytics" / "src" / "analytics" / "main.py"
    mended = main.read_text()
    main.write_text("import nothing_there\n" + mended)
    for _ in range(2):  # the second finds it away already
        refused = checkout.command("deploy", "analytics", check=False)
        assert refused.returncode == 1
        assert "analytics does not start, the others go on" in refused.stderr, refused.stderr
        assert "No module named 'nothing_there'" in refused.stderr
    main.write_text(mended)
    assert "analytics runs anew" in checkout.command("deploy", "analytics").stdout
    after = {name: checkout.process(name)["pid"] for name in SERVICES}
    assert [name for name in SERVICES if after[name] != before[name]] == ["analytics"]


def test_where_nothing_runs_it_says_so(checkout: System, tmp_path: Path) -> None:
    refused = System(tmp_path, checkout.environment).command("deploy", "sync", check=False)
    assert (refused.returncode, "Routiq is not running here" in refused.stderr) == (1, True)


async def _revised(system: System) -> set[str]:
    """Whose schema is at the revision that the changed code has more."""
    owner = await asyncpg.connect(system.owner_url)
    found = {name: await owner.fetchval(f"SELECT version_num FROM {name}.alembic_version") for name in WITH_A_DATABASE}
    await owner.close()
    return {name for name, revision in found.items() if revision == "next"}
