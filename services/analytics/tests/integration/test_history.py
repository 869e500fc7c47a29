"""Any history of a clinic, delivered in any order and with repeats, against a slow computation of the same."""

import random
from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.analytics.tests.conftest import Analytics
from services.analytics.tests.histories import (
    DAY,
    EDGES,
    NOW,
    History,
    again,
    histories,
    moments,
)
from services.analytics.tests.slow import slow_activity, slow_summary


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=histories(),
    page=st.integers(1, 10),
    repeats=st.integers(0, 3),
    order=st.randoms(use_true_random=False),
    clock=st.lists(st.one_of(moments, st.sampled_from([edge + 30 * DAY for edge in EDGES])), max_size=4),
)
async def test_the_dashboard_equals_a_slow_computation_in_whatever_order_events_come_and_whenever_it_is_read(
    analytics: Analytics, history: History, page: int, repeats: int, order: random.Random, clock: list[datetime]
) -> None:
    events = history.events(page)
    events += [again(event) for event in events[:repeats]]
    order.shuffle(events)
    read_between = order.randint(0, len(events))

    await analytics.receive(*events[:read_between])
    await analytics.summary(history.organization_id, order.choice([NOW, *clock]))
    await analytics.receive(*events[read_between:], *events[:repeats])

    for now in [*clock, NOW]:
        assert await analytics.summary(history.organization_id, now) == slow_summary(history, now)
    assert await analytics.activity(history.organization_id, NOW) == slow_activity(history)
