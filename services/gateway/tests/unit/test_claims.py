import pytest

from chassis.errors import Unauthorized
from gateway.domain.claims import read

SESSION = {"sub": "user_1", "exp": 2_000_000_000}


@pytest.mark.parametrize(
    ("said", "organization_id", "role"),
    [
        ({"v": 2, "o": {"id": "org_a", "rol": "admin"}}, "org_a", "admin"),
        ({"v": 2, "o": {"id": "org_a", "rol": "member"}}, "org_a", "member"),
        ({"v": 2, "o": {"id": "org_a", "rol": "billing"}}, "org_a", "member"),
        ({"v": 2}, None, "member"),
        ({"v": 2, "org_id": "org_b", "org_role": "org:admin"}, None, "member"),
        ({"org_id": "org_a", "org_role": "org:admin"}, "org_a", "admin"),
        ({"org_id": "org_a", "org_role": "org:member"}, "org_a", "member"),
        ({}, None, "member"),
    ],
)
def test_both_versions_read_alike(said: dict[str, object], organization_id: str | None, role: str) -> None:
    claims = read({**SESSION, **said}, ())
    assert (claims.user_id, claims.organization_id, claims.role) == ("user_1", organization_id, role)


def test_who_acts_in_anothers_name_is_kept() -> None:
    assert read({**SESSION, "act": {"sub": "user_support"}}, ()).impersonator == "user_support"
    assert read(SESSION, ()).impersonator is None


def test_a_pending_session_is_refused() -> None:
    with pytest.raises(Unauthorized):
        read({**SESSION, "sts": "pending"}, ())


def test_a_token_for_another_party_is_refused_when_parties_are_named() -> None:
    elsewhere = {**SESSION, "azp": "https://elsewhere.example"}
    with pytest.raises(Unauthorized):
        read(elsewhere, ("https://app.example",))
    read(elsewhere, ())
    read(SESSION, ("https://app.example",))
