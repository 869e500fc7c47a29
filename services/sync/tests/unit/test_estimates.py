"""When a run is expected to end, over the whole of a simulated run."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.domain.run import Run, estimated_completion

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
QUEUED = Run(
    sync_id="sync_org_a_20250630_120000",
    organization_id="org_a",
    request_id=None,
    mode="comprehensive",
    status="queued",
    revision=1,
    completed_steps=0,
    started_at=NOON,
    completed_at=None,
    landed_at=None,
    records_total=None,
    patients_landed=0,
    appointments_landed=0,
    records_confirmed=0,
    records_rejected=0,
    patients_reported=None,
    failure=None,
    closing_id=None,
    attempts=0,
)
CONNECTING, RECORDS_A_SECOND, TOTAL, LAG = timedelta(seconds=4), 50, 5_000, timedelta(seconds=3)
"""The simulated run: it waits ten seconds for a worker, connects, lands at a steady rate; receipts lag behind."""
BEGAN = NOON + timedelta(seconds=10)
END = BEGAN + CONNECTING + timedelta(seconds=TOTAL / RECORDS_A_SECOND) + LAG


def landed_after(working: timedelta) -> int:
    return min(TOTAL, max(0, int(working.total_seconds() * RECORDS_A_SECOND)))


def simulated() -> Iterator[tuple[datetime, Run]]:
    """The run as it reads each second while it is at work."""
    for second in range(int((END - BEGAN).total_seconds())):
        now = BEGAN + timedelta(seconds=second)
        landed = landed_after(now - BEGAN - CONNECTING)
        yield (
            now,
            replace(
                QUEUED,
                status="running",
                began_at=BEGAN,
                records_total=TOTAL if now >= BEGAN + CONNECTING else None,
                patients_landed=landed,
                records_confirmed=landed_after(now - BEGAN - CONNECTING - LAG),
            ),
        )


@pytest.mark.parametrize("usual", [None, timedelta(seconds=30), timedelta(minutes=10)])
def test_the_estimate_converges_on_the_real_end(usual: timedelta | None) -> None:
    estimates = [(now, estimated_completion(run, now, usual)) for now, run in simulated()]
    errors = [abs((estimate - END).total_seconds()) for _, estimate in estimates if estimate]
    assert len(errors) > 90
    thirds = [max(errors[start : start + 25]) for start in (15, 45, 75)]
    assert thirds[0] > thirds[1] > thirds[2]
    assert errors[-1] <= 2


def test_no_estimate_lies_in_the_past() -> None:
    for usual in (None, timedelta(seconds=1)):
        for now, run in simulated():
            estimate = estimated_completion(run, now, usual)
            assert estimate is None or estimate >= now


def test_a_run_that_waits_for_a_worker_is_expected_to_take_as_long_as_usual_from_now() -> None:
    later = NOON + timedelta(seconds=7)
    assert estimated_completion(QUEUED, later, timedelta(minutes=2)) == later + timedelta(minutes=2)
    assert estimated_completion(QUEUED, later, None) is None
