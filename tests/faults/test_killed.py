"""`kill -9` in the middle of a sync: the run completes, nothing is missing, nothing is doubled."""

import os
import signal
import time
from datetime import datetime
from typing import Any

import pytest
from tests.conftest import KEYS, RIDGE, System
from tests.independent import Clinic, ClinikoAccount

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("victim", ["patients", "analytics", "broker", "sync", "postgres"])
def test_a_sync_survives_the_death_of(system: System, victim: str) -> None:
    organization = f"org_fault_{victim}"
    system.connect(organization, KEYS[RIDGE])
    system.cliniko_settings(latency_ms=250)
    try:
        sync_id = system.start_sync(organization)
        _until_records_travel(system, organization, sync_id)
        pid = system.process(victim)["pid"]["number"]
        os.kill(pid, signal.SIGKILL)
        system.cliniko_settings(latency_ms=0)
        progress = system.until_completed(organization, sync_id)
    finally:
        system.cliniko_settings(latency_ms=0)
    assert progress["progress_percentage"] == 100.0
    assert system.process(victim)["pid"]["number"] != pid
    _agrees_with_cliniko(system, organization)


def _until_records_travel(system: System, organization: str, sync_id: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        progress = system.get(f"/api/v1/sync/progress/{sync_id}", organization)
        assert progress["status"] in ("queued", "running"), "over before anything was killed"
        if progress["records_processed"] > 0:
            return
        time.sleep(0.05)
    raise AssertionError(progress)


def _agrees_with_cliniko(system: System, organization: str) -> None:
    """At once, without waiting: what reads as completed must be readable."""
    system.until_ready()
    summary = system.get(f"/api/v1/dashboard/{organization}/summary", organization)
    listed = system.get(f"/api/v1/patients/{organization}/patients", organization)
    clinic = Clinic.read(ClinikoAccount(f"{system.cliniko}/uk1/v1", KEYS[RIDGE]))
    expected = clinic.dashboard(datetime.fromisoformat(summary["generated_at"]))
    assert {key: summary[key] for key in expected} == expected
    wanted = clinic.patient_list(datetime.fromisoformat(listed["timestamp"]))
    assert _counts(listed["patients"]) == _counts(wanted)


def _counts(patients: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return sorted((one["cliniko_patient_id"], one["total_appointment_count"]) for one in patients)
