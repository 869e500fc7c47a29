"""Make, end and judge an organization's connection to Cliniko."""

from collections.abc import Callable

from chassis.errors import BadRequest, Unavailable
from chassis.identity import Caller
from sync.adapters.store import Store
from sync.adapters.vault import Vault
from sync.domain.clinic import Away, BadAnswer, Busy, Clinic, ClinikoError
from sync.domain.credentials import shard_of
from sync.domain.schedule import HEAD_START, HOUR, next_due
from sync.handlers.endings import fail

OpenClinic = Callable[[str], Clinic]
"""The account that an API key opens."""


async def check_key(api_key: str, open_clinic: OpenClinic) -> None:
    """Return when Cliniko accepts the key now. Raises BadRequest when it does not, Unavailable when it cannot say."""
    try:
        await open_clinic(api_key).check()
    except (Away, Busy, BadAnswer) as error:
        raise Unavailable(error.text) from error
    except ClinikoError as error:
        raise BadRequest(error.text) from error


async def store_key(api_key: str, caller: Caller | None, store: Store, vault: Vault) -> str:
    """Keep a checked key, sealed, say that the organization is connected, and schedule it. Returns its region."""
    region = shard_of(api_key)
    connection = await store.connections.connect(vault.seal(api_key, store.organization_id), region)
    if connection:
        await store.announce(connection.announcement(store.organization_id, caller))
    await store.schedule.enrol(next_due(store.organization_id, store.now + HEAD_START, HOUR))
    return region


async def disconnect(caller: Caller | None, store: Store) -> None:
    """Forget the key, and end a run that still reads with it; saying it twice changes nothing.

    The run is locked before the connection, as by a worker that notes a refusal.
    """
    run = await store.runs.active()
    if run and run.landed_at is None:
        await fail(run.sync_id, "Cliniko was disconnected.", store)
    if connection := await store.connections.disconnect():
        await store.announce(connection.announcement(store.organization_id, caller))


async def judge(key_number: int, request_id: str | None, store: Store, *, valid: bool) -> None:
    """Note whether Cliniko still accepts the key, and say so when that changed."""
    if connection := await store.connections.judge(key_number, valid=valid):
        await store.announce(connection.announcement(store.organization_id, request_id=request_id))
