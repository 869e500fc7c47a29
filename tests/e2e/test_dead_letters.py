"""A poisoned message and one that failed for no fault of its own, as an operator meets them at the command line."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from tests.conftest import HARBOUR, MORE_PORTS, PORTS, RIDGE, System

from contracts.events import FiguresCounted

QUEUE = "admin.analytics.figures.counted.v1"
PATIENCE_SECONDS = 30.0
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def until_listed(system: System, letter_id: str) -> str:
    """What the list says of the queue, once the letter is in it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while letter_id not in (listed := system.command("dead-letters", "list", QUEUE).stdout):
        assert time.monotonic() < deadline, listed
        time.sleep(1)
    return listed


def test_dead_letters_are_seen_redriven_and_dropped_from_the_command_line(system: System) -> None:
    poison = str(uuid4())
    # So old that admin knows newer figures: it is applied, and other tests see nothing of it.
    event = FiguresCounted(organization_id=HARBOUR, total_patients=1, active_patients=1, occurred_at=LONG_AGO)
    system.publish(QUEUE, b'{"first_name": "Canary"}', poison)
    assert "ValidationError" in until_listed(system, poison)
    system.publish(f"{QUEUE}.dead", event.model_dump_json().encode(), str(event.event_id))
    until_listed(system, str(event.event_id))
    overview = system.command("dead-letters", "list").stdout
    assert "2 dead letters" in overview
    assert QUEUE in overview
    shown = system.command("dead-letters", "show", QUEUE, str(event.event_id)).stdout
    assert HARBOUR in shown

    redriven = system.command("dead-letters", "redrive", "--all", check=False)
    assert redriven.returncode == 1
    assert "1 of 2 are dead letters still, or again." in redriven.stderr
    assert "applied" in redriven.stdout
    assert "dead again" in redriven.stdout
    again = system.command("dead-letters", "redrive", QUEUE, str(event.event_id))
    assert "It is gone already." in again.stdout

    refused = system.command("dead-letters", "drop", QUEUE, "--reason", "unreadable", check=False)
    assert refused.returncode == 1
    assert "Drop all 1 messages" in refused.stdout
    dropped = system.command("dead-letters", "drop", QUEUE, poison, "--reason", "unreadable", "--yes")
    assert "1 dropped." in dropped.stdout
    assert "There are no dead letters." in system.command("dead-letters", "list").stdout
    assert "Canary" not in overview + shown + redriven.stdout + (system.home / ".routiq/logs/admin.log").read_text()


def test_commands_find_what_runs_though_its_ports_were_given_to_up_alone(system: System) -> None:
    ports = {*PORTS, *MORE_PORTS}
    elsewhere = replace(system, environment={k: v for k, v in system.environment.items() if k not in ports})
    assert "whole" in elsewhere.command("audit", "verify").stdout
    assert elsewhere.command("keys", "rotate").returncode == 0
    assert elsewhere.command("replay", RIDGE, "--to", "analytics").returncode == 0
