from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from patients.domain.listing import Bookmark, Position, Walk
from patients.domain.patient import patient_id
from patients.entrypoints.cursor import Seal

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
PLACE = Position(2**63 - 1, -1, "zoë o'brien", UUID(int=7))
BOOKMARK = Bookmark(Walk(NOON, "7:9:8", "8"), PLACE)
KEY = b"a key for tests that is long enough to sign with"
SEAL = Seal.of("org_a", KEY)


def test_a_patients_id_follows_from_organization_and_cliniko_id_for_ever() -> None:
    assert patient_id("org_example", "12345") == UUID("f1ef3023-1eac-55be-b4a6-cff30ba93542")


def test_patients_of_two_organizations_with_one_cliniko_id_are_two() -> None:
    assert patient_id("org_a", "1") != patient_id("org_b", "1")


def test_a_cursor_leads_back_to_its_bookmark_and_no_two_are_alike() -> None:
    cursors = {SEAL.cursor(BOOKMARK) for _ in range(3)}
    assert len(cursors) == 3
    assert {SEAL.bookmark(cursor, NOON) for cursor in cursors} == {BOOKMARK}


def test_every_changed_character_of_a_cursor_is_noticed() -> None:
    cursor = SEAL.cursor(BOOKMARK)
    for index, character in enumerate(cursor.rstrip("=")[:-1]):
        with pytest.raises(ValueError, match="no next_cursor"):
            SEAL.bookmark(cursor[:index] + ("B" if character == "A" else "A") + cursor[index + 1 :], NOON)


@pytest.mark.parametrize("other", [Seal.of("org_b", KEY), Seal.of("org_a", KEY + b"!")])
def test_a_cursor_is_worth_nothing_to_another_organization_or_under_another_key(other: Seal) -> None:
    with pytest.raises(ValueError, match="no next_cursor"):
        other.bookmark(SEAL.cursor(BOOKMARK), NOON)


def test_a_cursor_leads_nowhere_an_hour_after_its_walk_began() -> None:
    hour, instant = timedelta(hours=1), timedelta(microseconds=1)
    assert SEAL.bookmark(SEAL.cursor(BOOKMARK), NOON + hour) == BOOKMARK
    with pytest.raises(ValueError, match="begin again"):
        SEAL.bookmark(SEAL.cursor(BOOKMARK), NOON + hour + instant)
