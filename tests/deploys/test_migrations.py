"""Migrations run while the previous release is at work: it notices nothing, and nothing it uses is taken away."""

import asyncio
import re
import secrets
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from conftest import PostgresServer
from tests.deploys.catalogue import Catalogue, word
from tests.deploys.fleet import SERVICES, TODAY, fleet
from tests.deploys.load import Load
from tests.faults.practice import Practice

from chassis.migrations import Schema, migrate
from routiq.plan import WITH_A_DATABASE

CLINIC = "migrated"
REVISIONS = "services/*/migrations/versions/*.py"


@pytest.mark.e2e
@pytest.mark.timeout(280)
async def test_every_new_revision_runs_beside_the_previous_release_and_then_service_after_service_is_deployed(
    broker: str, released: Path, next_release: Path
) -> None:
    async with fleet(broker, replicas=2, accounts=[f"MS0-{CLINIC}-au4=500:150"]) as deployed:
        await deployed.migrate(released)
        await asyncio.gather(*(deployed.start(replica, released) for replica in deployed.replicas))
        await asyncio.to_thread(deployed.system.until_ready)
        practice = Practice(deployed.system, CLINIC)
        await asyncio.to_thread(practice.connect)
        load = Load([practice])
        with load.applied() as seen:
            for service in WITH_A_DATABASE:
                await deployed.migrate(next_release, service)
                await _until_more_was_synced(load)
        assert not seen.failures, seen.failures
        await asyncio.to_thread(practice.agrees)
        for service in SERVICES:
            await deployed.deploy(service, next_release)
        await asyncio.to_thread(practice.run)
        await asyncio.to_thread(practice.agrees)


async def test_no_new_revision_takes_away_what_the_previous_release_uses(
    postgres: PostgresServer, migrated_template: tuple[str, str], released: Path
) -> None:
    template, password = migrated_template
    older = await _catalogue(postgres, released, password)
    newer = await Catalogue.read(_address(postgres, template), list(WITH_A_DATABASE))
    announced = _contracted(released)
    assert older.taken_by(newer) <= announced, older.taken_by(newer) - announced
    for name in announced:
        source = released / "services" / name.partition(".")[0] / "src"
        assert not _mentioned(source, word(name)), f"{name} is still in use"


def test_no_revision_that_has_landed_was_changed(released: Path) -> None:
    """Where it has run, it does not run again."""
    landed = {str(path.relative_to(released)): path.read_text() for path in released.glob(REVISIONS)}
    today = {str(path.relative_to(TODAY)): path.read_text() for path in TODAY.glob(REVISIONS)}
    assert landed
    assert {name for name, text in landed.items() if today.get(name) != text} == set()


async def _until_more_was_synced(load: Load) -> None:
    """One whole run since now: the first to end may have begun before."""
    runs = len(load.seen.runs)
    async with asyncio.timeout(120):
        while len(load.seen.runs) < runs + 2 and not load.seen.failures:
            await asyncio.sleep(0.2)


async def _catalogue(server: PostgresServer, root: Path, password: str) -> Catalogue:
    """Of a database that only the migrations below `root` ran on; the roles are those of every test's databases."""
    owner, name = await asyncpg.connect(server.url), f"catalogue_{secrets.token_hex(6)}"
    await owner.execute(f"CREATE DATABASE {name}")
    try:
        directories = {one: root / "services" / one / "migrations" for one in WITH_A_DATABASE}
        await migrate(_address(server, name), [Schema(one, where, password) for one, where in directories.items()])
        return await Catalogue.read(_address(server, name), list(WITH_A_DATABASE))
    finally:
        await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await owner.close()


def _address(server: PostgresServer, database: str) -> str:
    return urlsplit(server.url)._replace(path=f"/{database}").geturl()


def _contracted(released: Path) -> set[str]:
    """What the revisions written since say they take away: `contracts = ("sync.runs.role",)`."""
    names: set[str] = set()
    for path in TODAY.glob(REVISIONS):
        if not (released / path.relative_to(TODAY)).exists():
            spec = spec_from_file_location(path.stem, path)
            assert spec
            assert spec.loader
            revision = module_from_spec(spec)
            spec.loader.exec_module(revision)
            names |= set(getattr(revision, "contracts", ()))
    return names


def _mentioned(source: Path, name: str | None) -> bool:
    if name is None:
        return False
    return any(re.search(rf"\b{re.escape(name)}\b", path.read_text()) for path in source.rglob("*.py"))
