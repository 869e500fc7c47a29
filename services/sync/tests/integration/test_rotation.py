"""Sealing stored keys anew while everything runs."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from sync import handlers
from sync.adapters.connections import count_sealed_otherwise, sealed_otherwise
from sync.adapters.replicas import beat
from sync.adapters.vault import Unreadable, Vault, sealed_with
from sync.entrypoints import rotation
from sync.entrypoints.transactions import transactions_of, utc_now

OLD, NEW = (f"{name}:{base64.b64encode(byte * 32).decode()}" for name, byte in (("old", b"o"), ("new", b"n")))
CLINICS = [f"org_clinic_{number:03}" for number in range(230)]


@pytest.fixture
async def connected(service: Any) -> Any:
    """Many clinics, sealed with the old key."""
    vault = Vault(OLD)
    for clinic in CLINICS:
        async with service.transactions(clinic) as store:
            await handlers.store_key(f"MS0-{clinic}-au4", None, store, vault)
    return service


async def sealed(service: Any, clinic: str) -> bytes:
    async with service.transactions(clinic) as store:
        return bytes((await store.connections.current()).api_key)


async def still_old(service: Any) -> int:
    async with service.database.transaction() as connection:
        return await count_sealed_otherwise(connection, "new")


def rotating(service: Any, vault: Vault) -> Any:
    async def next_stale(after: str, most: int) -> Sequence[str]:
        async with service.database.transaction() as connection:
            return await sealed_otherwise(connection, vault.key_ids[0], after, most)

    return handlers.rotate_keys(next_stale, transactions_of(service.database), vault)


async def test_every_key_is_sealed_anew_and_opens_without_the_old_one(connected: Any, capsys: Any) -> None:
    before = len(await connected.announced())
    assert await rotation.rotate(connected.database, Vault(f"{NEW},{OLD}")) == rotation.COMPLETE
    assert await still_old(connected) == 0
    only_new = Vault(NEW)
    for clinic in CLINICS:
        assert only_new.open(await sealed(connected, clinic), clinic) == f"MS0-{clinic}-au4"
    assert len(await connected.announced()) == before
    said = capsys.readouterr().out
    assert '"resealed": 230' in said
    assert "MS0" not in said
    assert await rotation.rotate(connected.database, Vault(f"{NEW},{OLD}")) == rotation.COMPLETE
    assert '"resealed": 0, "unreadable": 0, "total": 0' in capsys.readouterr().out


async def test_what_was_interrupted_goes_on_and_seals_nothing_twice(connected: Any) -> None:
    vault = Vault(f"{NEW},{OLD}")
    first = rotating(connected, vault)
    assert (await anext(first)).resealed == 100
    await first.aclose()
    done = await sealed(connected, CLINICS[0])
    assert await still_old(connected) == 130
    assert [batch.resealed async for batch in rotating(connected, vault)] == [100, 130]
    assert await sealed(connected, CLINICS[0]) == done


async def test_two_rotations_at_once_and_clinics_that_connect_meanwhile_do_no_harm(connected: Any) -> None:
    vault = Vault(f"{NEW},{OLD}")

    async def whole() -> int:
        return int([batch.resealed async for batch in rotating(connected, vault)][-1])

    async def reconnect() -> None:
        for clinic in CLINICS[::40]:
            async with connected.transactions(clinic) as store:
                await handlers.store_key("MS0-another-au4", None, store, vault)

    one, two, _ = await asyncio.gather(whole(), whole(), reconnect())
    assert 220 <= one + two <= 230
    opened = [Vault(NEW).open(await sealed(connected, clinic), clinic) for clinic in CLINICS]
    assert opened.count("MS0-another-au4") == len(CLINICS[::40])


async def test_a_key_that_no_listed_key_opens_is_left_and_counted(connected: Any, capsys: Any) -> None:
    async with connected.transactions(CLINICS[7]) as store:
        await handlers.store_key("MS0-lost-au4", None, store, Vault(OLD.replace("old", "lost")))
    assert await rotation.rotate(connected.database, Vault(f"{NEW},{OLD}")) == rotation.LEFT_OVER
    assert '"resealed": 229, "unreadable": 1' in capsys.readouterr().out
    assert sealed_with(await sealed(connected, CLINICS[7])) == "lost"


async def test_nothing_is_sealed_with_a_key_that_a_living_replica_does_not_have(connected: Any, capsys: Any) -> None:
    async with connected.database.transaction() as connection:
        await beat(connection, uuid4(), utc_now(), scheduling=True, key_ids=["old"])
    vault = Vault(f"{NEW},{OLD}")
    assert await rotation.rotate(connected.database, vault) == rotation.TOO_EARLY
    assert '"replicas": 1' in capsys.readouterr().out
    assert await still_old(connected) == len(CLINICS)
    async with connected.database.transaction() as connection:
        await connection.execute(text("UPDATE beats SET beat_at = beat_at - interval '61 seconds'"))
    assert await rotation.rotate(connected.database, vault) == rotation.COMPLETE


async def test_a_verdict_on_a_key_holds_when_it_was_sealed_anew_meanwhile(connected: Any) -> None:
    clinic = CLINICS[0]
    async with connected.transactions(clinic) as store:
        number = (await store.connections.current()).key_number
    assert await rotation.rotate(connected.database, Vault(f"{NEW},{OLD}")) == rotation.COMPLETE
    async with connected.transactions(clinic) as store:
        await handlers.judge(number, None, store, valid=False)
        assert not (await store.connections.current()).credentials_valid


async def test_an_envelope_copied_to_another_clinic_does_not_open(connected: Any) -> None:
    with pytest.raises(Unreadable):
        Vault(OLD).open(await sealed(connected, CLINICS[0]), CLINICS[1])
