"""What happened is put on record, and looked up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from admin.adapters.chain import Chain
from admin.adapters.store import Organizations
from admin.adapters.trail import Trail
from admin.domain import testimony
from admin.domain.audit import Details, Kind, Link
from admin.domain.inquiry import Inquiry, Sum
from chassis.database import Database
from chassis.errors import NotFound
from chassis.identity import Caller
from contracts.events import (
    AccessRefused,
    ConnectionChanged,
    PatientErased,
    PatientRecordsRead,
    ScheduleChanged,
    SyncLogsRemoved,
    SyncRunChanged,
)


async def record_reads(events: Sequence[PatientRecordsRead], chain: Chain) -> None:
    """Who was shown whose records."""
    await chain.append([testimony.of_read(event) for event in events])


async def record_erasures(events: Sequence[PatientErased], chain: Chain) -> None:
    """Who was erased, and for whom."""
    await chain.append([testimony.of_erasure(event) for event in events])


async def record_run_change(event: SyncRunChanged, chain: Chain) -> None:
    """That a run started, and that it ended."""
    await chain.append(testimony.of_run(event))


async def record_connection_change(event: ConnectionChanged, chain: Chain) -> None:
    """How the connection to Cliniko stands since."""
    await chain.append([testimony.of_connection(event)])


async def record_schedule_change(event: ScheduleChanged, chain: Chain) -> None:
    """That the clinic is synced by itself no more, or again."""
    await chain.append([testimony.of_schedule(event)])


async def record_removed_logs(event: SyncLogsRemoved, chain: Chain) -> None:
    """That old sync logs went."""
    await chain.append([testimony.of_removed_logs(event)])


async def record_act(database: Database, kind: Kind, details: Details, caller: Caller, now: datetime) -> None:
    """What an operator did to the platform as a whole, in the operators' own chain."""
    async with database.transaction(caller.organization_id) as connection:
        await Chain(connection, caller.organization_id).append([testimony.of_operator(kind, details, caller, now)])


async def chain_for_refusal(event: AccessRefused, organizations: Organizations) -> str:
    """Whose chain it belongs in: a person may name organizations that do not exist, and makes no chain by that."""
    wanted = event.wanted_organization_id
    known = wanted == event.organization_id or await organizations.known(wanted)
    return wanted if known else event.organization_id


async def record_refusal(event: AccessRefused, chain: Chain) -> None:
    """Who was turned away."""
    await chain.append([testimony.of_refusal(event)])


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what fits; and, where a patient was asked for, who stands in all of it."""

    links: Sequence[Link]
    by_user: Sequence[Sum] | None


async def look_up(inquiry: Inquiry, trail: Trail, chain: Chain, caller: Caller, now: datetime) -> Found:
    """The entries that fit; that they were looked up is on record before they leave. Raises NotFound."""
    if (await trail.ends()).nothing:
        raise NotFound("Nothing is on record of this organization.")
    links = await trail.find(inquiry)
    by_user = await trail.count_by_user(inquiry) if inquiry.patient_id else None
    await chain.append([testimony.of_look(inquiry, caller, now)])
    return Found(links, by_user)
