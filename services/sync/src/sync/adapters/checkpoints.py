"""The checkpoint of each page of a run, and the cursors that outlive runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.domain.clinic import PAGE_SIZE
from sync.domain.plan import KINDS
from sync.domain.reading import Reading

_RUN = "organization_id = :organization_id AND sync_id = :sync_id"
_COUNTERS = {
    kind.counted: ", ".join(f"'{one.name}'" for one in KINDS if one.counted == kind.counted)
    for kind in KINDS
    if kind.counted
}
"""The run's counters, with the kinds each counts."""
_COUNTS = ", ".join(
    f"{counter} = {counter} + CASE WHEN :kind IN ({kinds}) THEN more.mapped ELSE 0 END"
    for counter, kinds in _COUNTERS.items()
)
# One statement for all that a page leaves behind besides its records. The total of a page that is read again stays what
# it was at first: rows that went away meanwhile must be missed. A page that was not there before makes this attempt
# the first again: however often its workers die, the run is on its way.
_CHECK = text(f"""
    WITH before AS (
        SELECT mapped, rejected FROM pages WHERE {_RUN} AND path = :path AND number = :number
    ),
    more AS (
        SELECT CAST(:mapped AS integer) - coalesce(max(mapped), 0) AS mapped,
               CAST(:rejected AS integer) - coalesce(max(rejected), 0) AS rejected
        FROM before
    ),
    known AS (
        SELECT FROM pages WHERE {_RUN} AND path = :path AND (number = :number OR position = :position) LIMIT 1
    ),
    page AS (
        INSERT INTO pages (organization_id, sync_id, path, number, kind, rows, mapped, rejected, ids, late, records,
                           total, newest, position)
        VALUES (:organization_id, :sync_id, :path, :number, :kind, :rows, :mapped, :rejected, :ids, :late, :records,
                :total, :newest, :position)
        ON CONFLICT (organization_id, sync_id, path, number) DO UPDATE
        SET rows = excluded.rows, mapped = excluded.mapped, rejected = excluded.rejected, ids = excluded.ids,
            late = excluded.late, records = excluded.records, newest = excluded.newest, position = excluded.position
    ),
    accepted AS (
        DELETE FROM rejected WHERE organization_id = :organization_id AND kind = :kind AND cliniko_id = ANY(:accepted)
    ),
    aside AS (
        INSERT INTO rejected (organization_id, kind, cliniko_id, sync_id, reason)
        SELECT :organization_id, :kind, cliniko_id, :sync_id, reason
        FROM jsonb_to_recordset(CAST(:aside AS jsonb)) AS incoming (cliniko_id text, reason text)
        ON CONFLICT (organization_id, kind, cliniko_id) DO UPDATE
        SET sync_id = excluded.sync_id, reason = excluded.reason
    )
    UPDATE runs SET {_COUNTS}, heartbeat_at = now(),
        attempts = CASE WHEN EXISTS (SELECT FROM known) THEN attempts ELSE 1 END,
        records_rejected = records_rejected + CASE WHEN :counted THEN more.rejected ELSE 0 END,
        records_confirmed = records_confirmed
            + CASE WHEN :counted THEN more.mapped + more.rejected - CAST(:sent AS integer) ELSE 0 END
    FROM more WHERE {_RUN}
""")
_RECOUNTS = ", ".join(
    f"{counter} = (SELECT coalesce(sum(records), 0) FROM seen WHERE kind IN ({kinds}))"
    for counter, kinds in _COUNTERS.items()
)
_RECOUNT = text(f"""
    WITH brought AS (
        SELECT DISTINCT kind, unnest(coalesce(records, ids || late)) AS cliniko_id FROM pages WHERE {_RUN}
    ),
    seen AS (
        SELECT kind, count(*) FILTER (WHERE reason IS NULL) AS records, count(reason) AS rejected
        FROM brought LEFT JOIN (SELECT * FROM rejected WHERE {_RUN}) AS aside USING (kind, cliniko_id)
        WHERE kind = ANY(:counted) GROUP BY kind
    ),
    settled AS (
        SELECT coalesce(sum(records + rejected), 0) AS records, coalesce(sum(rejected), 0) AS rejected FROM seen
    )
    UPDATE runs SET {_RECOUNTS}, records_rejected = settled.rejected, records_confirmed = settled.records,
        records_total = settled.records
    FROM settled WHERE {_RUN} AND EXISTS (SELECT FROM pages WHERE {_RUN})
""")
_PAGES = text(f"SELECT path, number, rows, position FROM pages WHERE {_RUN} ORDER BY number")
_TALLY = text(f"""
    SELECT coalesce((SELECT total FROM pages WHERE {_RUN} AND path = :path AND number = 1), 0),
           (SELECT count(DISTINCT id) FROM pages, unnest(ids) AS id WHERE {_RUN} AND path = :path)
""")
_MISSING = text(f"""
    SELECT cliniko_id FROM landed
    WHERE organization_id = :organization_id AND kind = :kind AND record IS NOT NULL
    EXCEPT
    SELECT unnest(coalesce(records, ids || late)) FROM pages WHERE {_RUN} AND kind = :kind
    ORDER BY cliniko_id
""")
_STALE = text("""
    DELETE FROM rejected
    WHERE organization_id = :organization_id AND kind = ANY(:kinds) AND sync_id <> :sync_id
""")
_CURSORS = text("SELECT list, moment, shown FROM cursors WHERE organization_id = :organization_id")
_ADVANCE = text(f"""
    INSERT INTO cursors (organization_id, list, moment, shown)
    SELECT :organization_id, list, least(max(newest), :source_time), shown
    FROM pages
    JOIN jsonb_to_recordset(CAST(:followed AS jsonb)) AS followed (list text, path text, shown text[]) USING (path)
    WHERE {_RUN} GROUP BY list, shown HAVING max(newest) IS NOT NULL
    ON CONFLICT (organization_id, list) DO UPDATE
    SET moment = greatest(cursors.moment, excluded.moment), shown = excluded.shown
""")


class Cursor(NamedTuple):
    """How far a stream was followed, and the newest rows that were followed to another list."""

    moment: datetime
    shown: Sequence[str]


@dataclass
class Done:
    """What a run has landed so far, when a worker begins to work on it."""

    full: set[tuple[str, int]] = field(default_factory=set)
    """Path and number of its full pages; a shorter one may have grown."""
    reached: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Of each walk that goes by position: the last number and where it goes on."""


class Checkpoints:
    """The pages and cursors of this transaction's organization."""

    def __init__(self, connection: AsyncConnection, organization_id: str) -> None:
        self._connection = connection
        self._organization_id = organization_id

    async def check(self, sync_id: str, reading: Reading, sent: int, *, counted: bool) -> None:
        """Mark the page as landed, keep aside what could not be mapped, count; `sent` of its records go out."""
        await self._run(
            _CHECK,
            sync_id=sync_id,
            path=reading.walk.checkpoint,
            number=reading.number,
            kind=reading.walk.kind.name,
            rows=reading.rows,
            total=reading.total,
            ids=reading.ids,
            late=reading.late,
            records=reading.records,
            newest=reading.newest,
            position=reading.position,
            mapped=len(reading.mapped) if counted else 0,
            rejected=len(reading.rejected) if counted else 0,
            accepted=[mapped.cliniko_id for mapped in reading.mapped],
            aside=json.dumps([{"cliniko_id": one.cliniko_id, "reason": one.reason} for one in reading.rejected]),
            counted=counted and reading.walk.kind.counted is not None,
            sent=sent,
        )

    async def recount(self, sync_id: str) -> None:
        """Count each record of a run once, however many of its pages brought it; for a run that is all applied."""
        await self._run(_RECOUNT, sync_id=sync_id, counted=[kind.name for kind in KINDS if kind.counted])

    async def done(self, sync_id: str) -> Done:
        """The pages landed so far."""
        done = Done()
        for path, number, rows, position in await self._run(_PAGES, sync_id=sync_id):
            if position is not None:
                done.reached[path] = (number, position)
            elif rows >= PAGE_SIZE:
                done.full.add((path, number))
        return done

    async def tally(self, sync_id: str, path: str) -> tuple[int, int]:
        """How many rows the walk's first answer counted, and how many that are older than the run it brought."""
        announced, brought = (await self._run(_TALLY, sync_id=sync_id, path=path)).one()
        return announced, brought

    async def missing(self, sync_id: str, kind: str) -> list[str]:
        """Ids of landed records that no page of the run brought."""
        return list((await self._run(_MISSING, sync_id=sync_id, kind=kind)).scalars())

    async def forget_rejected(self, sync_id: str, kinds: Sequence[str]) -> None:
        """Drop what an earlier run kept aside and this one, which read all of these kinds, did not meet."""
        await self._run(_STALE, sync_id=sync_id, kinds=list(kinds))

    async def cursors(self) -> dict[str, Cursor]:
        """How far each stream was followed."""
        return {row.list: Cursor(row.moment, row.shown) for row in await self._run(_CURSORS)}

    async def advance(
        self, sync_id: str, followed: Mapping[str, str], source_time: datetime, shown: Mapping[str, Sequence[str]]
    ) -> None:
        """Move cursors (by the path of the pages that reach so far), never back and never past the run's beginning."""
        rows = json.dumps(
            [{"list": one, "path": path, "shown": list(shown.get(one, ()))} for one, path in followed.items()]
        )
        await self._run(_ADVANCE, sync_id=sync_id, followed=rows, source_time=source_time)

    async def _run(self, statement: Any, **values: Any) -> Any:
        return await self._connection.execute(statement, {"organization_id": self._organization_id, **values})
