from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync.domain.credentials import base_url, shard_of
from sync.domain.plan import appointment_walks
from sync.domain.run import Run, announcement, estimated_completion, new_sync_id

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
RUN = Run(
    sync_id="sync_org_a_20250630_120000",
    organization_id="org_a",
    request_id=None,
    mode="comprehensive",
    status="running",
    revision=2,
    completed_steps=2,
    started_at=NOON,
    completed_at=None,
    landed_at=None,
    records_total=200,
    patients_landed=80,
    appointments_landed=20,
    records_confirmed=50,
    records_rejected=0,
    patients_reported=80,
    failure=None,
    closing_id=None,
    attempts=1,
    began_at=NOON,
)


@pytest.mark.parametrize(
    ("key", "shard"),
    [
        ("MS0abc-au4", "au4"),
        ("MS0-a-b-UK12", "uk12"),
        ("MS0abc", "au1"),
        ("MS0-abc", "au1"),
        ("au4", "au1"),
        ("", "au1"),
    ],
)
def test_the_region_is_what_follows_the_last_dash(key: str, shard: str) -> None:
    assert shard_of(key) == shard
    assert base_url("https://api.{shard}.cliniko.com/v1/", key) == f"https://api.{shard}.cliniko.com/v1"


def test_a_runs_id_names_organization_and_second_in_utc() -> None:
    elsewhere = NOON.astimezone(tz=None)
    assert new_sync_id("org_a", elsewhere) == "sync_org_a_20250630_120000"


def test_progress_counts_looking_and_applying_by_halves_and_is_100_only_when_completed() -> None:
    assert RUN.progress == 37.5
    applied = replace(RUN, patients_landed=150, appointments_landed=90, records_confirmed=240)
    assert applied.progress == 99.9
    assert replace(RUN, records_total=None).progress == 0
    assert replace(RUN, records_total=0, status="completed").progress == 100


def test_the_estimate_follows_the_observed_rate_then_the_usual_duration() -> None:
    now = NOON + timedelta(seconds=30)
    assert estimated_completion(RUN, now, None) == now + timedelta(seconds=50)
    fresh = replace(RUN, records_total=None)
    assert estimated_completion(fresh, now, timedelta(minutes=2)) == NOON + timedelta(minutes=2)
    assert estimated_completion(fresh, now, timedelta(seconds=1)) == now
    assert estimated_completion(fresh, now, None) is None


def test_a_basic_run_asks_for_appointments_from_thirty_days_back() -> None:
    for walk in appointment_walks("basic", NOON):
        assert walk.filters[-1] == "starts_at:>=2025-05-31T12:00:00Z"
    assert appointment_walks("patients-only", NOON) == ()


def test_only_a_comprehensive_run_is_announced_as_a_full_sweep() -> None:
    assert announcement(RUN).full_sweep
    assert not announcement(replace(RUN, mode="basic")).full_sweep
    assert announcement(replace(RUN, records_rejected=3)).records_processed == 103
