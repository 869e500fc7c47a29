"""What a run owes to the ones before it: batches that were lost, records that could not be understood."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from contracts.events import RecordsRemoved
from sync.adapters.landing import State
from sync.domain.clinic import PAGE_SIZE
from sync.domain.plan import KINDS, SWEPT, Kind
from sync.handlers.hold import Hold
from sync.handlers.walk import fetch, land


async def resend_unconfirmed(hold: Hold) -> None:
    """Send what nobody is known to have applied; what was applied after all changes nothing by coming twice."""
    for kind in KINDS:
        while await _resend_page(kind, hold) == PAGE_SIZE:
            pass


async def _resend_page(kind: Kind, hold: Hold) -> int:
    async with hold.transaction() as store:
        batch_id = uuid4()
        states = await store.landing.take_unconfirmed(kind.name, batch_id, PAGE_SIZE)
        records, removed = apart(states)
        if records:
            await hold.send(kind.event, batch_id, {"records": records}, store)
        if removed and kind.removed_as:
            # Its own batch id would be the records': a removal that is lost again is proven again by the next sweep.
            await hold.send(RecordsRemoved, batch_id if not records else uuid4(), {kind.removed_as: removed}, store)
    return len(states)


def apart(states: Sequence[State]) -> tuple[list[Any], list[Any]]:
    """Records to send, and removals."""
    records = [state.record for state in states if state.record is not None]
    removed = [{"cliniko_id": state.cliniko_id, "sequence": state.sequence} for state in states if state.record is None]
    return records, removed


async def reread_rejected(hold: Hold) -> None:
    """Ask again for the records kept aside, which need not have changed to be understood now."""
    for walk in (one.leads_to or one for one in SWEPT):
        async with hold.transaction() as store:
            ids = [one for one in await store.landing.kept_aside(hold.run.sync_id, walk.kind.name) if one.isdecimal()]
        for start in range(0, len(ids), PAGE_SIZE):
            chunk = ids[start : start + PAGE_SIZE]
            page = await fetch(walk, (*walk.wildcards, f"id:={','.join(chunk)}"), 1, hold)
            again = walk.once_more("kept aside")
            await land(again, start // PAGE_SIZE + 1, page, hold)
