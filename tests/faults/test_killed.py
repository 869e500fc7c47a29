"""`kill -9` in the middle of a sync: the run completes, nothing is missing, nothing is doubled."""

import os
import random
import signal
import time
from datetime import datetime
from typing import Any

import httpx
import pytest
from tests.conftest import KEYS, RIDGE, System
from tests.independent import Clinic, ClinikoAccount

pytestmark = pytest.mark.e2e
VICTIMS = ("sync", "patients", "analytics", "broker", "postgres", "gateway")


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


@pytest.mark.parametrize("seed", [4])
def test_a_sync_survives_ten_deaths_at_random_moments(system: System, seed: int) -> None:
    organization, chance = f"org_deaths_{seed}", random.Random(seed)
    system.connect(organization, KEYS[RIDGE])
    system.cliniko_settings(latency_ms=3000)
    try:
        sync_id = system.start_sync(organization)
        for victim in chance.sample(VICTIMS * 2, 10):
            time.sleep(chance.uniform(0.5, 3.5))
            os.kill(_living(system, victim), signal.SIGKILL)
        assert _once_back(system, organization, sync_id)["status"] in ("queued", "running"), "over before the tenth"
    finally:
        system.cliniko_settings(latency_ms=0)
    started = time.monotonic()
    while (progress := _once_back(system, organization, sync_id))["status"] != "completed":
        assert progress["status"] in ("queued", "running"), progress
        assert time.monotonic() - started < 55, progress  # less than the lease of one dead worker
        time.sleep(1)
    system.until_ready()
    _agrees_with_cliniko(system, organization)
    history = system.get(f"/api/v1/sync/history/{organization}", organization)
    assert (history["total_syncs"], history["successful_syncs"]) == (1, 1)


def _living(system: System, name: str) -> int:
    """The process of that name, once it has one that lives."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        pid = int(system.process(name)["pid"]["number"])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            time.sleep(0.1)
        else:
            return pid
    raise AssertionError(f"{name} does not come back")


def _once_back(system: System, organization: str, sync_id: str) -> dict[str, Any]:
    """The progress, as soon as whatever was killed can tell."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            answer = system.call("GET", f"/api/v1/sync/progress/{sync_id}", organization)
        except httpx.TransportError:  # the gateway itself
            time.sleep(0.5)
            continue
        if answer.status_code == 200:
            return dict(answer.json())
        assert answer.status_code in (502, 503, 504), answer.text
        time.sleep(0.5)
    raise AssertionError("nobody tells how far it is")


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
