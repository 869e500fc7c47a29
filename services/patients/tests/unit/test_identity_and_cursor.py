from uuid import UUID

import pytest

from patients.domain.listing import Position
from patients.domain.patient import patient_id
from patients.entrypoints.cursor import cursor, position

PLACE = Position(2**63 - 1, -1, "zoë o'brien", UUID(int=7))


def test_a_patients_id_follows_from_organization_and_cliniko_id_for_ever() -> None:
    assert patient_id("org_example", "12345") == UUID("f1ef3023-1eac-55be-b4a6-cff30ba93542")


def test_patients_of_two_organizations_with_one_cliniko_id_are_two() -> None:
    assert patient_id("org_a", "1") != patient_id("org_b", "1")


def test_a_cursor_leads_back_to_its_position() -> None:
    assert position(cursor(PLACE)) == PLACE


@pytest.mark.parametrize("place", [PLACE._replace(next_order=2**63), PLACE._replace(name_order="a\0")])
def test_a_cursor_that_postgresql_could_not_read_is_refused(place: Position) -> None:
    with pytest.raises(ValueError, match="validation error"):
        position(cursor(place))
