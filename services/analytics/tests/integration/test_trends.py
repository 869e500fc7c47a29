"""Any history of a clinic, told by periods, against a slow count of the same."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.analytics.tests.conftest import Analytics
from services.analytics.tests.histories import NOW, History, histories, listed, moments, remaining

from analytics.adapters.store import Store
from analytics.domain.periods import DAYS, Timeframe
from analytics.entrypoints.trend_shapes import Analytics as AnalyticsDocument
from analytics.entrypoints.trend_shapes import Charts

METRICS = ("bookings", "appointments", "cancellations", "no_shows", "new_patients", "active_patients")
Happened = tuple[str, date, str, str | None, str | None]
"""What, when, to which patient, of which type, with whom."""


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


def slow_documents(history: History, timeframe: Timeframe, today: date) -> dict[str, Any]:
    """Every day looked at by itself."""
    days = [today - timedelta(days=age) for age in range(2 * DAYS[timeframe])]
    current, previous = days[: DAYS[timeframe]], days[DAYS[timeframe] :]
    everything = list(happened(history))
    step = 1 if timeframe in ("7d", "30d") else 7
    return {
        "timeframe": timeframe,
        "granularity": "day" if step == 1 else "week",
        "period": span(current),
        "previous_period": span(previous),
        "totals": compared(everything, current, previous),
        "points": [
            {**compared(everything, current[age : age + step], previous[age : age + step]),
             **span(current[age : age + step])}
            for age in reversed(range(0, len(current), step))
        ],
        "by_appointment_type": shares(everything, 3, current, previous),
        "by_practitioner": shares(everything, 4, current, previous),
    }  # fmt: skip


def happened(history: History) -> Iterable[Happened]:
    ids = set()
    for patient in listed(history):
        ids.add(patient.cliniko_patient_id)
        yield "new_patients", patient.created_at.date(), patient.cliniko_patient_id, None, None
    for one in remaining(history):
        if one.cliniko_patient_id in ids:
            whose = one.cliniko_patient_id, one.appointment_type_id, one.practitioner_id
            yield "bookings", one.created_at.date(), *whose
            if one.cancelled_at:
                yield "cancellations", one.cancelled_at.date(), *whose
                continue
            yield "appointments", one.starts_at.date(), *whose
            yield "active_patients", one.starts_at.date(), *whose
            if one.did_not_arrive:
                yield "no_shows", one.starts_at.date(), *whose


def span(days: list[date]) -> dict[str, str]:
    return {"first_day": days[-1].isoformat(), "last_day": days[0].isoformat()}


def counts(everything: Iterable[Happened], days: list[date]) -> Counter[str]:
    found = [one for one in everything if one[1] in days]
    counted = Counter(one[0] for one in found)
    counted["active_patients"] = len({one[2] for one in found if one[0] == "active_patients"})
    return counted


def compared(everything: Iterable[Happened], current: list[date], previous: list[date]) -> dict[str, Any]:
    now, before = counts(everything, current), counts(everything, previous)
    return {
        metric: {
            "current": now[metric],
            "previous": before[metric],
            "change_percentage": round(100 * (now[metric] - before[metric]) / before[metric], 1)
            if before[metric]
            else None,
        }
        for metric in METRICS
    }


def shares(everything: list[Happened], key: int, current: list[date], previous: list[date]) -> list[dict[str, Any]]:
    those = [one for one in everything if one[0] != "new_patients" and one[1] in current + previous]
    told = []
    for identity in sorted({one[key] for one in those}, key=lambda identity: identity or ""):
        numbers = compared([one for one in those if one[key] == identity], current, previous)
        del numbers["new_patients"]
        told.append({"id": identity, "name": None, **numbers})
    return sorted(told, key=lambda share: -share["appointments"]["current"])


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
