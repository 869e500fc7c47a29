"""Figures out, true at the moment they are asked for."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from asyncpg import Record
from pydantic import TypeAdapter
from sqlalchemy import ClauseElement
from sqlalchemy.ext.asyncio import AsyncConnection

from analytics.adapters import counting, queries, trends
from analytics.domain.activity import Activity
from analytics.domain.figures import RECENT, Figures
from analytics.domain.periods import Timeframe, Window
from analytics.domain.retention import RANKS, PatientAtRisk, Position, Retention, Risk
from analytics.domain.trends import Count, Trend
from chassis.database import fetch

COUNTS = TypeAdapter(Sequence[Count])
NAMES = TypeAdapter(dict[str, str])
RUNS = TypeAdapter(list[Activity])
RISKS = {rank: risk for risk, rank in RANKS.items()}
BEFORE_THE_FIRST = Position(max(RISKS) + 1, datetime.max.replace(tzinfo=UTC), "")


class Readings:
    """What can be asked about a clinic in one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def figures(self, organization_id: str, now: datetime) -> Figures:
        """The clinic's figures at `now`; zeros for one nothing is known of."""
        figures, _ = await self.overview(organization_id, 0, now)
        return figures

    async def overview(self, organization_id: str, runs: int, now: datetime) -> tuple[Figures, list[Activity]]:
        """The clinic's figures at `now`, and so many of its newest runs: a dashboard in one round trip."""
        moment = {"organization_id": organization_id, "runs": runs, "now": now}
        (found,) = await self._rows(queries.FIGURES, moment)
        if found["stale"]:
            await self._count_anew(organization_id, now)
            (found,) = await self._rows(queries.FIGURES, moment)
        counted = {name: value for name, value in found.items() if name not in ("stale", "newest_runs")}
        figures = Figures(organization_id=organization_id, generated_at=now, **counted)
        return figures, RUNS.validate_json(found["newest_runs"])

    async def activity(self, organization_id: str, runs: int, now: datetime) -> tuple[list[Activity], datetime | None]:
        """So many of the clinic's runs, whatever became of them, newest first; and when the last completed one ended.

        None before the first has completed.
        """
        moment = {"organization_id": organization_id, "runs": runs, "now": now}
        (found,) = await self._rows(queries.ACTIVITY, moment)
        return RUNS.validate_json(found["newest_runs"]), found["last_sync_time"]

    async def trend(self, organization_id: str, timeframe: Timeframe, now: datetime) -> Trend:
        """What happened in the days around `now`."""
        figures = await self.figures(organization_id, now)  # counts who was touched, which drops what was kept
        window = Window(timeframe, now.astimezone(UTC).date())
        (names,) = await self._rows(trends.NAMES, {"organization_id": organization_id})
        return Trend(
            organization_id=organization_id,
            timestamp=now,
            window=window,
            counts=COUNTS.validate_json(
                await self._kept(organization_id, window) or await self._count(organization_id, window)
            ),
            appointment_types=NAMES.validate_json(names["appointment_types"]),
            practitioners=NAMES.validate_json(names["practitioners"]),
            last_sync_time=figures.last_sync_time,
        )

    async def patients_at_risk(
        self, organization_id: str, now: datetime, *, risk: Risk | None, limit: int, after: Position | None
    ) -> Retention:
        """A page of those who may not return, and how many there are."""
        figures = await self.figures(organization_id, now)
        after = after or BEFORE_THE_FIRST
        page = {
            "organization_id": organization_id,
            "lowest": RANKS[risk] if risk else min(RISKS),
            "highest": RANKS[risk] if risk else max(RISKS),
            "after_rank": after.rank,
            "after_visit": after.last_visit_at,
            "after_patient": after.cliniko_patient_id,
            "limit": limit + 1,
        }
        rows = await self._rows(queries.PATIENTS_AT_RISK, page)
        patients = [_patient(row, now) for row in rows if row["risk"] is not None]
        return Retention(
            patients=patients[:limit],
            end=patients[limit - 1].position if len(patients) > limit else None,
            counts={risk: rows[0][f"risk_{risk}"] if rows else 0 for risk in RANKS},
            last_sync_time=figures.last_sync_time,
        )

    async def _count_anew(self, organization_id: str, now: datetime) -> None:
        clinic = {"organization_id": organization_id}
        await self._connection.execute(counting.CLAIM, clinic)
        gathered = await self._connection.execute(counting.GATHER, {**clinic, "size": counting.PIECE})
        moment = {**clinic, "now": now, "recent_since": now - RECENT}
        for piece in gathered.scalars().all() or [None]:  # without any there are those whose figures have expired
            await self._connection.execute(counting.COUNT_ANEW, {**moment, "piece": piece})

    async def _kept(self, organization_id: str, window: Window) -> str | None:
        asked = {"organization_id": organization_id, "timeframe": window.timeframe, "today": window.today}
        kept: str | None = (await self._connection.execute(trends.KEPT, asked)).scalar()
        return kept

    async def _count(self, organization_id: str, window: Window) -> str:
        await self._connection.execute(counting.CLAIM, {"organization_id": organization_id})
        asked = {
            "organization_id": organization_id,
            **{name: getattr(window, name) for name in ("timeframe", "today", "days", "step", "since", "until")},
        }
        counted: str = (await self._connection.execute(trends.COUNT, asked)).scalar_one()
        return counted

    async def _rows(self, statement: ClauseElement, parameters: Mapping[str, Any]) -> Sequence[Record]:
        return await fetch(self._connection, statement, parameters)


def _patient(row: Record, now: datetime) -> PatientAtRisk:
    known = {
        name: row[name] for name in ("cliniko_patient_id", "visits", "last_visit_at", "usual_interval_days", "slipped")
    }
    return PatientAtRisk(risk=RISKS[row["risk"]], now=now, **known)
