"""docs/growth.md says what bench/growth.py prints, and the manifests leave room for it and go no further."""

import inspect
import subprocess
import sys

from tests.deploy import composition
from tests.deploy.composition import SERVICES, WORKSPACE
from tests.deploy.manifests import built, by_name

import admin.main
import sync.main
from chassis.database import BESIDE, Database
from growth import SCALES
from growth_day import Case, simulate
from growth_model import (
    HANDS,
    MAX_CONNECTIONS,
    PAGES_AT_ONCE,
    Clinic,
    Connections,
    Replicas,
    first_import,
    replicas,
)
from sync.domain.plan import ATTENDEES_CHANGED, STREAMS
from sync.entrypoints.worker import RUNS_AT_ONCE
from sync.handlers import walk

PAGE = (WORKSPACE / "docs" / "growth.md").read_text()


def test_the_page_holds_what_the_program_prints() -> None:
    command = [sys.executable, str(WORKSPACE / "bench" / "growth.py")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert all(table.strip() in PAGE for table in printed.split("\n\n")), printed
    assert f"{Clinic().day[0]} requests a clinic and day" in PAGE.replace("\n", " ")


def test_what_the_program_says_of_the_sync_is_what_the_sync_does() -> None:
    assert HANDS == RUNS_AT_ONCE
    assert PAGES_AT_ONCE == walk.PAGES_AT_ONCE
    assert ATTENDEES_CHANGED in STREAMS
    assert Clinic().quiet_requests == len(STREAMS)


def test_the_connections_counted_are_those_that_a_serving_process_may_open() -> None:
    usual = inspect.signature(Database).parameters["connections"].default + BESIDE
    assert Connections() == Connections(patients=usual, analytics=usual, admin=usual, sync=usual + 2 + BESIDE)
    assert inspect.getsource(sync.main._serve).count("Database(") == 1  # the one that counts requests
    assert "connections=2)" in inspect.getsource(sync.main._serve)
    assert "Database(" not in inspect.getsource(admin.main.made_of)


def limits() -> Replicas:
    items = built("production")
    most = {name: one["spec"]["maxReplicaCount"] for name, one in by_name(items, "ScaledObject").items()}
    most |= {name: one["spec"]["maxReplicas"] for name, one in by_name(items, "HorizontalPodAutoscaler").items()}
    return Replicas(**most)


def test_autoscaling_may_go_as_far_as_ten_thousand_clinics_need() -> None:
    needed = replicas(SCALES[-1])
    assert {name for name in SERVICES if getattr(limits(), name) < getattr(needed, name)} == set()


def test_all_replicas_that_autoscaling_may_start_find_connections_while_each_restarts() -> None:
    assert limits().max_connections <= MAX_CONNECTIONS
    assert f"`max_connections` {MAX_CONNECTIONS}" in PAGE


def test_one_machine_has_connections_for_one_of_each() -> None:
    command = composition.services(dict.fromkeys(composition.required(), "given"))["postgres"]["command"]
    (allowed,) = (int(option.partition("=")[2]) for option in command if option.startswith("max_connections="))
    assert Replicas(1, 1, 1, 1, 1).max_connections <= allowed


def test_a_day_with_too_few_hands_is_seen_to_be_late_and_one_with_enough_is_not() -> None:
    enough, too_few = simulate(Case(2_000, 1)), simulate(Case(2_000, 1, answer_seconds=1.0))
    assert enough.late_until == 0
    assert too_few.late_until > 0
    assert too_few.waited > enough.waited
    away = simulate(Case(2_000, 2, away_hours=1))
    assert 10 * 3600 <= away.late_until < 11 * 3600


def test_people_who_look_more_often_need_more_of_who_answers_and_no_more_syncs() -> None:
    busy, usual = replicas(10_000, Clinic(requests=2.5)), replicas(10_000)
    assert busy.patients > usual.patients
    assert busy.admin > usual.admin
    assert busy.sync == usual.sync


def test_a_large_clinic_is_bound_by_what_cliniko_allows_and_not_by_us() -> None:
    assert first_import(6_000) < 2
    assert first_import(1_100_000) > 3_600
