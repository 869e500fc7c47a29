"""What a message carries along while it fails, and what is told of its end."""

from uuid import UUID, uuid4

import pytest

from chassis import dead_letters
from chassis.dead_letters import ATTEMPT, ATTEMPTS, FIRST_FAILED, LAST_FAILED, REASON, REDRIVE

LONG_AGO = "2025-06-30T12:00:00.000Z"


def test_a_message_keeps_the_moment_it_first_failed_and_who_redrove_it_through_every_try() -> None:
    redriven = dead_letters.of_redrive("org_platform", str(uuid4()))
    retried = dead_letters.of_retry({**redriven, FIRST_FAILED: LONG_AGO}, 2)
    assert retried == {ATTEMPT: 2, FIRST_FAILED: LONG_AGO, **redriven}
    buried = dead_letters.of_burial(retried, 3, "ValueError")
    last_failed = buried.pop(LAST_FAILED)
    assert buried == {ATTEMPTS: 3, REASON: "ValueError", FIRST_FAILED: LONG_AGO, **redriven}
    assert last_failed > LONG_AGO


def test_a_redriven_message_has_failed_nowhere_yet() -> None:
    assert set(dead_letters.of_redrive("org_platform", str(uuid4()))) == {REDRIVE}


@pytest.mark.parametrize(("reason", "outcome"), [(None, "applied"), ("ValueError", "dead")])
def test_who_redrove_a_message_is_told_its_end(reason: str | None, outcome: str) -> None:
    letter_id = uuid4()
    event = dead_letters.settled(dead_letters.of_redrive("org_platform", str(letter_id)), "a.queue", reason)
    assert event is not None
    assert (event.organization_id, event.letter_id, event.queue) == ("org_platform", letter_id, "a.queue")
    assert (event.outcome, event.reason) == (outcome, reason)


@pytest.mark.parametrize("header", [None, "text", {}, {"organization_id": "?", "letter_id": str(UUID(int=0))}])
def test_of_a_message_that_nobody_redrove_nothing_is_told(header: object) -> None:
    assert dead_letters.settled({REDRIVE: header}, "a.queue") is None
