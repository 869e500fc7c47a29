"""Every key of every answer as it is sent, against slow computations, over random histories."""

import random
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.analytics.tests.conftest import Analytics
from services.analytics.tests.histories import NOW, History, histories, moments
from services.analytics.tests.slow import slow_activity, slow_documents, slow_patients, slow_summary

from analytics.domain.periods import DAYS, Timeframe
from analytics.entrypoints.parameters import clock
from contracts.timestamps import iso

RISKS = ("high", "medium", "low", "lost")
LIMIT = 3


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=histories(),
    timeframe=st.sampled_from(list(DAYS)),
    order=st.randoms(use_true_random=False),
    times=st.lists(moments, max_size=2),
)
async def test_every_key_of_every_answer(
    analytics: Analytics, history: History, timeframe: Timeframe, order: random.Random, times: list[datetime]
) -> None:
    events = history.events(4)
    order.shuffle(events)
    await analytics.receive(*events)
    for now in [*times, NOW]:
        analytics.app.dependency_overrides[clock] = lambda now=now: now
        for path, expected in answers(history, timeframe, now).items():
            answer = await analytics.get(f"/api/v1/dashboard/{history.organization_id}{path}", history.organization_id)
            assert answer.json() == expected, path


def answers(history: History, timeframe: Timeframe, now: datetime) -> dict[str, Any]:
    """What is to be sent at each path."""
    summary, activity = slow_summary(history, now), slow_activity(history, now)
    told = {"success": True, "organization_id": history.organization_id, "timestamp": iso(now)}
    aged = {**told, "last_sync_time": summary["last_sync_time"]}
    trend, patients = slow_documents(history, timeframe, now.date()), slow_patients(history, now)
    shares, chart = {"by_appointment_type", "by_practitioner"}, {"points", "granularity"}
    counts = {risk: len([one for one in patients if one["risk"] == risk]) for risk in RISKS}
    of_risk = {risk: [one for one in patients if one["risk"] == risk] for risk in RISKS}
    return {
        "": {**told, "summary": summary, "recent_activity": activity[:10]},
        f"?activity_limit={LIMIT}": {**told, "summary": summary, "recent_activity": activity[:LIMIT]},
        "/summary": summary,
        f"/activity?limit={LIMIT}": activity[:LIMIT],
        f"/analytics?timeframe={timeframe}": {**aged, **without(trend, chart)},
        f"/charts?timeframe={timeframe}": {**aged, **without(trend, shares)},
        "/retention": page(aged, patients, counts),
        **{f"/retention?risk={risk}": page(aged, those, counts) for risk, those in of_risk.items()},
    }


def without(document: dict[str, Any], keys: set[str]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}


def page(aged: dict[str, Any], patients: list[dict[str, Any]], counts: dict[str, int]) -> dict[str, Any]:
    """A page that has room for all."""
    return {**aged, "patients": patients, "total_count": len(patients), "counts": counts, "next_cursor": None}
