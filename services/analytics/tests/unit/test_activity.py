from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest

from analytics.domain.activity import DESCRIPTIONS, Activity
from contracts.events import SyncMode

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)


def run(**different: Any) -> Activity:
    known = {"id": "sync_1", "mode": "comprehensive", "status": "completed", "now": NOON}
    counts = {"records_processed": 651, "records_success": 651, "records_failed": 0}
    times = {"started_at": NOON - timedelta(hours=1), "completed_at": NOON - timedelta(minutes=54, seconds=12)}
    return Activity(**{**known, **counts, **times, **different})


def test_a_run_is_as_old_as_its_completion() -> None:
    assert run().minutes_ago == 54.2


def test_a_run_under_way_is_as_old_as_its_start() -> None:
    assert run(status="running", completed_at=None).minutes_ago == 60.0


def test_a_run_completed_by_a_clock_ahead_of_ours_was_just_now() -> None:
    assert run(completed_at=NOON + timedelta(seconds=9)).minutes_ago == 0.0


@pytest.mark.parametrize("mode", get_args(SyncMode))
def test_every_mode_has_a_description_and_an_operation_type(mode: SyncMode) -> None:
    assert run(mode=mode).description == DESCRIPTIONS[mode]
    assert run(mode=mode).operation_type.replace("_", "-") == f"{mode}-sync"


def test_a_comprehensive_run_reads_as_in_the_reference() -> None:
    assert run().operation_type == "comprehensive_sync"
    assert run().description == "Comprehensive patient and appointment sync"
