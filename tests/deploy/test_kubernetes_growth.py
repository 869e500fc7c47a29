"""docs/growth.md says what bench/growth.py computes, and the manifests leave room for it."""

import subprocess
import sys

from tests.deploy.composition import SERVICES, WORKSPACE
from tests.deploy.manifests import built, by_name

from growth import HANDS, SCALES, Clinic, Connections, first_import, replicas
from sync.entrypoints.worker import RUNS_AT_ONCE

PAGE = (WORKSPACE / "docs" / "growth.md").read_text()


def test_the_page_holds_what_the_program_prints() -> None:
    command = [sys.executable, str(WORKSPACE / "bench" / "growth.py")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert all(table.strip() in PAGE for table in printed.split("\n\n")), printed


def test_what_the_program_says_of_the_sync_is_what_the_sync_does() -> None:
    assert HANDS == RUNS_AT_ONCE
    assert Connections().sync > Connections().patients


def test_autoscaling_may_go_as_far_as_ten_thousand_clinics_need() -> None:
    items, most = built("production"), replicas(SCALES[-1])
    limits = {name: one["spec"]["maxReplicaCount"] for name, one in by_name(items, "ScaledObject").items()}
    limits |= {name: one["spec"]["maxReplicas"] for name, one in by_name(items, "HorizontalPodAutoscaler").items()}
    assert {name for name in SERVICES if limits[name] < getattr(most, name)} == set()


def test_people_who_look_more_often_need_more_of_who_answers_and_no_more_syncs() -> None:
    busy, usual = replicas(10_000, Clinic(requests=2.5)), replicas(10_000)
    assert busy.patients > usual.patients
    assert busy.admin > usual.admin
    assert busy.sync == usual.sync


def test_a_large_clinic_is_bound_by_what_cliniko_allows_and_not_by_us() -> None:
    assert first_import(6_000) < 2
    assert first_import(1_100_000) > 3_600
