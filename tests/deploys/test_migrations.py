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
from tests.deploys.catalogue import Catalogue, Column
from tests.deploys.fleet import SERVICES, TODAY, fleet
from tests.deploys.load import Load
from tests.faults.practice import Practice

from chassis.migrations import Schema, migrate
from routiq.plan import WITH_A_DATABASE

CLINIC = "migrated"
ROLE = {"sync.runs.role": Column("text", required=False, filled=False)}


@pytest.mark.e2e
@pytest.mark.timeout(280)
async def test_every_new_revision_runs_beside_the_previous_release_and_then_service_after_service_is_deployed(
    home: Path, broker: str, released: dict[str, Path]
) -> None:
    before = released["schema"]
    async with fleet(home, broker, replicas=2, accounts=[f"MS0-{CLINIC}-au4=500:150"]) as deployed:
        await deployed.migrate(before)
        await asyncio.gather(*(deployed.start(replica, before) for replica in deployed.replicas))
        await asyncio.to_thread(deployed.system.until_ready)
        practice = Practice(deployed.system, CLINIC)
        await asyncio.to_thread(practice.connect)
        load = Load([practice])
        with load.applied() as seen:
            for service in WITH_A_DATABASE:
                await deployed.migrate(TODAY, service)
                await _until_more_was_synced(load)
        assert not seen.failures, seen.failures
        await asyncio.to_thread(practice.agrees)
        for service in SERVICES:
            await deployed.deploy(service, TODAY)
        await asyncio.to_thread(practice.run)
        await asyncio.to_thread(practice.agrees)


async def test_no_new_revision_takes_away_what_the_previous_release_uses(
    postgres: PostgresServer, migrated_template: tuple[str, str], released: dict[str, Path]
) -> None:
    template, password = migrated_template
    older = await _catalogue(postgres, released["schema"], password)
    newer = await Catalogue.read(_address(postgres, template), list(WITH_A_DATABASE))
    announced = _contracted(released["schema"])
    assert older.taken_by(newer) <= announced, older.taken_by(newer) - announced
    for name in announced:
        service, word = name.partition(".")[0], re.split(r"[.(]", name)[-1]
        assert not _mentioned(released["schema"] / "services" / service / "src", word), f"{name} is still in use"


@pytest.mark.parametrize(
    ("columns", "taken"),
    [
        ({}, {"sync.runs.role"}),
        ({"sync.runs.role": Column("uuid", required=False, filled=False)}, {"sync.runs.role"}),
        ({"sync.runs.role": Column("text", required=True, filled=False)}, {"sync.runs.role"}),
        ({**ROLE, "sync.runs.more": Column("text", required=True, filled=False)}, {"sync.runs.more"}),
        ({**ROLE, "sync.runs.more": Column("text", required=True, filled=True)}, set()),
        ({**ROLE, "sync.other.more": Column("text", required=True, filled=False)}, set()),
    ],
    ids=["dropped", "of another type", "required", "a new duty", "filled by the database", "a new table"],
)
def test_what_a_revision_takes_away_is_found(columns: dict[str, Column], taken: set[str]) -> None:
    older, newer = Catalogue(ROLE, {}, frozenset()), Catalogue(columns, {}, frozenset())
    assert older.taken_by(newer) == taken


def test_a_new_rule_for_an_old_table_and_a_function_that_is_gone_are_found() -> None:
    older = Catalogue(ROLE, {"sync.claim()": "text"}, frozenset())
    newer = Catalogue(ROLE, {}, frozenset({"sync.runs CHECK (true)", "sync.other CHECK (true)"}))
    assert older.taken_by(newer) == {"sync.claim()", "sync.runs CHECK (true)"}


async def _until_more_was_synced(load: Load) -> None:
    """One whole run since now."""
    runs = len(load.seen.runs)
    async with asyncio.timeout(60):
        while len(load.seen.runs) < runs + 1 and not load.seen.failures:
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
    for path in TODAY.glob("services/*/migrations/versions/*.py"):
        if not (released / path.relative_to(TODAY)).exists():
            spec = spec_from_file_location(path.stem, path)
            assert spec
            assert spec.loader
            revision = module_from_spec(spec)
            spec.loader.exec_module(revision)
            names |= set(getattr(revision, "contracts", ()))
    return names


def _mentioned(source: Path, word: str) -> bool:
    return any(re.search(rf"\b{re.escape(word)}\b", path.read_text()) for path in source.rglob("*.py"))
