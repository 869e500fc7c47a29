"""`/api/v1/dashboard`: what the clinic's frontend reads."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from analytics import handlers
from analytics.domain.retention import Risk
from analytics.entrypoints.conditional import Known, answer, conditional
from analytics.entrypoints.cursor import cursor
from analytics.entrypoints.parameters import After, Asked, Days, Limit, PageSize
from analytics.entrypoints.retention_shapes import PatientAtRisk, Retention, RiskCounts
from analytics.entrypoints.shapes import Activity, Dashboard, Summary
from analytics.entrypoints.trend_shapes import Analytics, Charts

router = APIRouter(prefix="/api/v1/dashboard/{organization_id}", tags=["Dashboard"])


@router.get("", responses=conditional(Dashboard))
async def dashboard(asked: Asked, activity_limit: Limit = 10, known: Known = None) -> Response:
    """The clinic's figures and its newest syncs."""
    async with asked.store() as store:
        figures, activity = await handlers.give_overview(asked.organization_id, activity_limit, store, asked.now)
    document = Dashboard(
        organization_id=asked.organization_id,
        summary=Summary.model_validate(figures),
        recent_activity=[Activity.model_validate(run) for run in activity],
        timestamp=asked.now,
    )
    return answer(document, figures.last_sync_time, known)


@router.get("/summary", responses=conditional(Summary))
async def summary(asked: Asked, known: Known = None) -> Response:
    """The clinic's figures."""
    async with asked.store() as store:
        figures = await handlers.summarize(asked.organization_id, store, asked.now)
    return answer(Summary.model_validate(figures), figures.last_sync_time, known)


@router.get("/activity", responses=conditional(list[Activity]))
async def activity(asked: Asked, limit: Limit = 20, known: Known = None) -> Response:
    """The clinic's newest syncs."""
    async with asked.store() as store:
        runs, last_sync_time = await handlers.recall_activity(asked.organization_id, limit, store, asked.now)
    return answer([Activity.model_validate(run) for run in runs], last_sync_time, known)


@router.get("/analytics", responses=conditional(Analytics))
async def analytics(asked: Asked, timeframe: Days = "30d", known: Known = None) -> Response:
    """Bookings, appointments, cancellations, no-shows, new and active patients against the period before.

    Days are in UTC. Told are listed patients and their appointments. Bookings are by the day they were made, whatever
    became of them; appointments (without cancelled ones) and no-shows by the day they start; cancellations by the day
    they were made; active patients had an appointment in the period.
    """
    async with asked.store() as store:
        trend = await handlers.compare_periods(asked.organization_id, timeframe, store, asked.now)
    return answer(Analytics.model_validate(trend), trend.last_sync_time, known)


@router.get("/charts", responses=conditional(Charts))
async def charts(asked: Asked, timeframe: Days = "30d", known: Known = None) -> Response:
    """The same by day, for `90d` and `1y` by week; each beside the day or week as far back in the period before.

    Days are in UTC. Weeks are counted back from today, so that the earliest may be shorter. A patient counts as active
    once in each day, week and period.
    """
    async with asked.store() as store:
        trend = await handlers.compare_periods(asked.organization_id, timeframe, store, asked.now)
    return answer(Charts.model_validate(trend), trend.last_sync_time, known)


@router.get("/retention", responses=conditional(Retention))
async def retention(
    asked: Asked,
    after: After,
    risk: Annotated[Risk | None, Query(description="Only patients at this risk.")] = None,
    limit: PageSize = 100,
    known: Known = None,
) -> Response:
    """Patients who may not return: high risk first, then medium, low and lost; of equals whoever was seen last.

    Told is who has visited and has no appointment to come. The usual interval is the mean time between their visits in
    days (7 to 120; 30 after a single visit). Risk is low at first, medium once that interval has passed, high once it
    has passed twice, one step higher when the appointment after the last visit was missed or cancelled, and lost after
    365 days.
    """
    async with asked.store() as store:
        found = await handlers.list_patients_at_risk(
            asked.organization_id, store, asked.now, risk=risk, limit=limit, after=after
        )
    document = Retention(
        organization_id=asked.organization_id,
        patients=[PatientAtRisk.model_validate(patient) for patient in found.patients],
        total_count=found.counts[risk] if risk else sum(found.counts.values()),
        counts=RiskCounts.model_validate(found.counts),
        next_cursor=cursor(found.end) if found.end else None,
        last_sync_time=found.last_sync_time,
        timestamp=asked.now,
    )
    return answer(document, found.last_sync_time, known)
