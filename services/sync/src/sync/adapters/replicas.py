"""Which replicas of the service live, what they know, and the figures of all clinics together."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.adapters.runs import LEASE

_BEAT = text("""
    INSERT INTO beats (replica, scheduling, key_ids, beat_at) VALUES (:replica, :scheduling, :key_ids, :moment)
    ON CONFLICT (replica) DO UPDATE SET scheduling = excluded.scheduling, beat_at = excluded.beat_at
""")
_RETIRE = text("DELETE FROM beats WHERE replica = :replica")
_FORGET = text("DELETE FROM beats WHERE beat_at < :before")
_LAST_BEAT = text("SELECT max(beat_at) FROM beats WHERE scheduling")
_WITHOUT_KEY = text("SELECT count(*) FROM beats WHERE beat_at >= :since AND NOT :key_id = ANY(key_ids)")
_COUNT_RUNS = text("SELECT mode, status, runs FROM count_runs(:since)")
_MEASURE = text("SELECT unserved, paused, refused, failing FROM measure_schedule(:moment)")
_MEASURE_FRESHNESS = text("""
    SELECT clinics, late, worst_seconds, quantiles FROM measure_freshness(:moment, :late_after)
""")
_MEASURE_RUNS = text("SELECT silent, longest_wait_seconds FROM measure_runs(:lease)")

REMEMBERED = timedelta(days=1)
QUANTILES = ("0.5", "0.9", "0.99")


@dataclass(frozen=True)
class ScheduleFigures:
    """Clinics that are due and not being served, paused, refused by Cliniko, failing."""

    unserved: int
    paused: int
    refused: int
    failing: int


class Freshness(NamedTuple):
    """Of the clinics that can be served; ages in seconds, `quantiles` in the order of `QUANTILES`."""

    clinics: int
    late: int
    worst: float
    quantiles: Sequence[float]


async def beat(
    connection: AsyncConnection, replica: UUID, moment: datetime, *, scheduling: bool, key_ids: Sequence[str]
) -> None:
    """Say that this replica lives and which sealing keys it has; forget those that have long been silent."""
    values = {"replica": replica, "scheduling": scheduling, "key_ids": list(key_ids), "moment": moment}
    await connection.execute(_BEAT, values)
    await connection.execute(_FORGET, {"before": moment - REMEMBERED})


async def retire(connection: AsyncConnection, replica: UUID) -> None:
    """This replica stops: nobody need wait until its beat is old."""
    await connection.execute(_RETIRE, {"replica": replica})


async def last_beat(connection: AsyncConnection) -> datetime | None:
    """When a scheduler last showed itself."""
    moment: datetime | None = await connection.scalar(_LAST_BEAT)
    return moment


async def replicas_without_key(connection: AsyncConnection, key_id: str, since: datetime) -> int:
    """How many living replicas could not open what is sealed with this key."""
    return int(await connection.scalar(_WITHOUT_KEY, {"key_id": key_id, "since": since}) or 0)


async def count_runs(connection: AsyncConnection, since: datetime) -> dict[tuple[str, str], int]:
    """Runs by mode and status: those at work, and those that ended after `since`."""
    return {(row.mode, row.status): row.runs for row in await connection.execute(_COUNT_RUNS, {"since": since})}


async def measure_schedule(connection: AsyncConnection, moment: datetime) -> ScheduleFigures:
    """Over all connected clinics."""
    return ScheduleFigures(*(await connection.execute(_MEASURE, {"moment": moment})).one())


async def measure_freshness(connection: AsyncConnection, moment: datetime, late_after: timedelta) -> Freshness:
    """How old the data of connected clinics are that are not paused and whose key is good."""
    values = {"moment": moment, "late_after": late_after}
    return Freshness(*(await connection.execute(_MEASURE_FRESHNESS, values)).one())


async def measure_runs(connection: AsyncConnection) -> tuple[int, float]:
    """How many runs at work have had no beat for longer than a lease, and for how many seconds one has been queued."""
    silent, longest_wait = (await connection.execute(_MEASURE_RUNS, {"lease": LEASE})).one()
    return silent, longest_wait
