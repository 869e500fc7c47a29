"""Any history of a clinic, told by periods, against a slow count of the same."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.analytics.tests.conftest import Analytics
from services.analytics.tests.histories import NOW, History, histories, moments
from services.analytics.tests.slow import slow_documents

from analytics.adapters.store import Store
from analytics.domain.periods import DAYS, Timeframe
from analytics.entrypoints.trend_shapes import Analytics as AnalyticsDocument
from analytics.entrypoints.trend_shapes import Charts


async def documents(analytics: Analytics, organization_id: str, timeframe: Timeframe, now: datetime) -> dict[str, Any]:
    """What `/analytics` and `/charts` say together."""
    async with analytics.database.transaction(organization_id) as connection:
        trend = await Store(connection).trend(organization_id, timeframe, now)
    shapes = AnalyticsDocument.model_validate(trend), Charts.model_validate(trend)
    return {key: value for shape in shapes for key, value in shape.model_dump(mode="json").items()}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=histories(),
    timeframe=st.sampled_from(list(DAYS)),
    order=st.randoms(use_true_random=False),
    clock=st.lists(moments, max_size=2),
)
async def test_periods_equal_a_slow_count_in_whatever_order_events_come_and_whenever_they_are_read(
    analytics: Analytics, history: History, timeframe: Timeframe, order: random.Random, clock: list[datetime]
) -> None:
    events = history.events(3)
    order.shuffle(events)
    read_between = order.randint(0, len(events))

    await analytics.receive(*events[:read_between])
    await documents(analytics, history.organization_id, timeframe, NOW)
    await analytics.receive(*events[read_between:])

    for now in [NOW, *clock, NOW]:
        told = await documents(analytics, history.organization_id, timeframe, now)
        expected = slow_documents(history, timeframe, now.date())
        assert {key: told[key] for key in expected} == expected


@pytest.mark.parametrize("path", ["analytics", "charts"])
async def test_an_unknown_timeframe_is_refused_with_the_known_ones(analytics: Analytics, path: str) -> None:
    response = await analytics.get(f"/api/v1/dashboard/org_a/{path}?timeframe=2w", caller_of="org_a")
    assert response.status_code == 400
    assert set(response.json()) == {"error", "detail", "timestamp", "path", "errors"}
    assert all(timeframe in response.json()["detail"] for timeframe in ("'7d'", "'30d'", "'90d'", "'1y'"))


@pytest.mark.parametrize(("timeframe", "points"), [("7d", 7), ("30d", 30), ("90d", 13), ("1y", 53)])
async def test_a_period_has_days_up_to_a_month_and_weeks_beyond(
    analytics: Analytics, timeframe: str, points: int
) -> None:
    response = await analytics.get(f"/api/v1/dashboard/org_a/charts?timeframe={timeframe}", caller_of="org_a")
    told = response.json()
    assert len(told["points"]) == points
    assert told["points"][-1]["last_day"] == told["period"]["last_day"] == datetime.now(UTC).date().isoformat()
    assert told["points"][0]["first_day"] == told["period"]["first_day"]
