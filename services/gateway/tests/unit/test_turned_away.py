from datetime import UTC, datetime, timedelta

from gateway.domain.claims import Claims
from gateway.domain.organizations import Admitted, Standing
from gateway.domain.refusals import NotAdmitted
from gateway.domain.turned_away import MOST, MOST_OF_ONE, SEVERAL, Tally, TurnedAway, by_gateway, by_service

NOON = datetime(2025, 6, 30, 12, tzinfo=UTC)
ROUTE = "/api/v1/patients/{organization_id}/*"


def refusal(user_id: str = "user_1", organization_id: str = "org_b", route: str = ROUTE) -> TurnedAway:
    return TurnedAway(organization_id, "org_a", user_id, None, None, "other_organization", "GET", route)


def claims(organization_id: str | None) -> Claims:
    return Claims("user_1", organization_id, "member", 0.0, "user_2")


def test_equal_refusals_are_one_with_its_first_request_and_both_ends() -> None:
    tally = Tally()
    for second in range(3):
        assert tally.note(refusal(), f"request {second}", NOON + timedelta(seconds=second))
    tally.note(refusal(route="/api/v1/sync/*"), "request 3", NOON)
    assert tally.count == 4
    first, other = tally.take()
    assert (first.count, first.request_id, first.first_at, first.last_at) == (
        3,
        "request 0",
        NOON,
        NOON + timedelta(seconds=2),
    )
    assert other.count == 1
    assert (tally.count, tally.take()) == (0, [])


def test_one_person_who_tries_every_door_takes_little_room_and_every_try_is_counted() -> None:
    tally = Tally()
    for n in range(5000):
        assert tally.note(refusal(organization_id=f"org_{n}"), "request", NOON)
    assert tally.note(refusal("user_2"), "request", NOON)
    sums = tally.take()
    assert len(sums) == MOST_OF_ONE + 2
    assert sum(one.count for one in sums) == 5001
    (rest,) = (one for one in sums if one.what.route == SEVERAL)
    assert (rest.what.organization_id, rest.what.user_id, rest.count) == ("org_a", "user_1", 5000 - MOST_OF_ONE)


def test_many_people_take_no_more_room_than_there_is() -> None:
    tally = Tally()
    assert all(tally.note(refusal(f"user_{n}"), "request", NOON) for n in range(MOST))
    assert not tally.note(refusal("one too many"), "request", NOON)
    assert tally.note(refusal("user_1"), "request", NOON), "what is known already needs no room"
    assert tally.count == MOST + 1


def test_who_is_turned_away_from_a_clinic_is_told_of_that_clinic_and_of_their_own() -> None:
    no_access = NotAdmitted("", "other_organization")
    found = by_gateway(no_access, claims("org_a"), "org_b", "org_platform", "GET", ROUTE)
    assert found == TurnedAway("org_b", "org_a", "user_1", None, "user_2", "other_organization", "GET", ROUTE)
    without_session = by_gateway(no_access, claims(None), "org_b", "org_platform", "GET", ROUTE)
    assert without_session
    assert without_session.organization_id == "org_platform"
    assert by_gateway(no_access, claims(None), "org_b", None, "GET", ROUTE) is None


def test_who_is_a_member_but_no_operator_is_told_of_where_they_are_a_member() -> None:
    refused = NotAdmitted("", "operators_only", Standing("org_b", "admin"))
    found = by_gateway(refused, claims("org_a"), "org_b", "org_platform", "POST", "/api/v1/admin/*")
    assert found
    assert (found.wanted_organization_id, found.organization_id, found.role) == ("org_b", "org_b", "admin")


def test_whose_role_does_not_suffice_for_a_service_is_told_too() -> None:
    found = by_service(Admitted("org_b", "user_1", "member", False, None), "PUT", ROUTE)
    assert (found.organization_id, found.reason, found.role, found.method) == ("org_b", "role", "member", "PUT")
