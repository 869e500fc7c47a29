"""Keys through the command, on a real database with the real service's rotation."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from chassis.database import Database
from routiq import keys
from routiq.failures import ReportedError
from routiq.plan import WITH_A_DATABASE, Plan, Servers
from routiq.settings import from_environment
from routiq.state import Secrets, StateDirectory
from sync import handlers
from sync.adapters.vault import Vault, sealed_with
from sync.entrypoints.transactions import transactions_of

CLINIC = "org_test_clinic"


class Installation:
    """A database with one connected clinic, and the plan of the commands."""

    def __init__(self, url: str, state: StateDirectory) -> None:
        self.url = url
        self.state = state
        self.database = Database(url, "sync", connections=2)

    def plan(self, **given: str) -> Plan:
        secrets = self.state.secrets(WITH_A_DATABASE)
        password = urlsplit(self.url).password or ""
        secrets = Secrets(**{**vars(secrets), "role_passwords": dict.fromkeys(WITH_A_DATABASE, password)})
        settings = from_environment({"DATABASE_URL": self.url, "AMQP_URL": "amqp://127.0.0.1:9/", **given})
        return Plan(settings, secrets, Servers(None, None), self.state)

    async def connect(self) -> None:
        async with transactions_of(self.database)(CLINIC) as store:
            vault = Vault(self.state.secrets(WITH_A_DATABASE).credentials_keys)
            await handlers.store_key("MS0-canary-au4", None, store, vault)

    async def sealed_with(self) -> str:
        async with transactions_of(self.database)(CLINIC) as store:
            connection = await store.connections.current()
        assert connection is not None
        return sealed_with(connection.api_key or b"")


@pytest.fixture
async def installation(new_database: Callable[[str], Awaitable[str]], state: StateDirectory) -> Any:
    made = Installation(await new_database("sync"), state)
    await made.connect()
    yield made
    await made.database.close()


async def test_a_key_is_added_and_everything_sealed_with_it(installation: Installation, capsys: Any) -> None:
    before = await installation.sealed_with()
    added = keys.add(installation.state, installation.plan())
    assert await installation.sealed_with() == before != added
    await keys.rotate(installation.plan())
    assert await installation.sealed_with() == added
    said = capsys.readouterr().out
    assert f"1 API keys were sealed anew; all are sealed with {added} now." in said
    await keys.rotate(installation.plan())
    assert "0 API keys were sealed anew" in capsys.readouterr().out
    assert "canary" not in said


async def test_rotating_waits_for_the_replicas_that_do_not_have_the_key(installation: Installation) -> None:
    beat = text("INSERT INTO beats VALUES (gen_random_uuid(), true, '{older}', now())")
    async with installation.database.transaction() as connection:
        await connection.execute(beat)
    with pytest.raises(ReportedError, match="Restart them first"):
        await keys.rotate(installation.plan())


async def test_an_unreadable_key_is_reported(installation: Installation) -> None:
    other = keys.new_key()
    with pytest.raises(ReportedError, match="no longer listed"):
        await keys.rotate(installation.plan(CREDENTIALS_KEYS=other))


def test_keys_from_outside_stay_outside(installation: Installation) -> None:
    with pytest.raises(ReportedError, match="CREDENTIALS_KEYS is set"):
        keys.add(installation.state, installation.plan(CREDENTIALS_KEYS=keys.new_key()))


def test_the_keys_are_for_their_owner_only(state: StateDirectory) -> None:
    state.keep(state.secrets(WITH_A_DATABASE))
    path: Path = state.path / "secrets.json"
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())["credentials_keys"]
