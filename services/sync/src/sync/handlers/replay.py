"""Say again all that is known of a clinic, so that a service that has lost its tables has them back."""

from contracts.events import RecordsRemoved
from sync.adapters.store import Store, Transactions
from sync.domain.clinic import PAGE_SIZE
from sync.domain.plan import KINDS, Kind
from sync.domain.run import announcement
from sync.handlers.again import apart


async def replay(organization_id: str, consumer: str | None, transactions: Transactions) -> int:
    """Announce every landed record, removal and run, and the connection, to one consumer or to all.

    What a consumer still has is not changed by it, for nothing is newer than it was. Returns how many records went out.
    """
    said = 0
    for kind in KINDS:
        after = ""
        while True:
            async with transactions(organization_id) as store:
                states = await store.landing.recall(kind.name, after, PAGE_SIZE)
                records, removed = apart(states)
                await _say(kind, records, removed, consumer, store)
            said += len(states)
            if len(states) < PAGE_SIZE:
                break
            after = states[-1].cliniko_id
    async with transactions(organization_id) as store:
        await _say_how_it_came(consumer, store)
    return said


async def _say(kind: Kind, records: list[object], removed: list[object], consumer: str | None, store: Store) -> None:
    common = {
        "organization_id": store.organization_id,
        "occurred_at": store.now,
        "sync_id": None,
        "addressed_to": consumer,
    }
    if records:
        await store.announce(kind.event.model_validate({**common, "records": records}))
    if removed and kind.removed_as:
        await store.announce(RecordsRemoved.model_validate({**common, kind.removed_as: removed}))


async def _say_how_it_came(consumer: str | None, store: Store) -> None:
    """The runs, and the connection they read from."""
    runs = [announcement(run).model_copy(update={"addressed_to": consumer}) for run in await store.runs.every()]
    connection = await store.connections.current()
    if runs:
        await store.announce(*runs)
    if connection:
        await store.announce(connection.announcement(store.organization_id))
