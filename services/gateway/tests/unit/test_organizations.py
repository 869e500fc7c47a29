import pytest

from chassis.errors import BadRequest, Forbidden
from gateway.domain.claims import Claims, Role
from gateway.domain.organizations import Standing, named, operates, standing, standing_in


def claims(organization_id: str | None = "org_a", role: str = "member") -> Claims:
    return Claims("user_1", organization_id, "admin" if role == "admin" else "member", 2e9, None)


def test_path_and_header_may_agree_or_either_be_missing() -> None:
    assert named("org_a", "org_a") == "org_a"
    assert named("org_a", None) == "org_a"
    assert named(None, "org_a") == "org_a"
    assert named(None, None) is None


def test_path_and_header_must_not_differ() -> None:
    with pytest.raises(BadRequest):
        named("org_a", "org_b")


@pytest.mark.parametrize(
    "wrong", ["", "org_", "org_a ", "ORG_a", "org_a-b", "org_ä", "org_a\n", "org_" + "a" * 65, "a"]
)
def test_a_wrong_format_is_refused_wherever_it_stands(wrong: str) -> None:
    for in_path, in_header in ((wrong, None), (None, wrong)):
        with pytest.raises(BadRequest) as refusal:
            named(in_path, in_header)
        assert refusal.value.detail == "Invalid organization_id format"


def test_the_session_says_the_role_in_its_own_organization() -> None:
    assert standing(claims(role="admin")) == ("org_a", "admin")
    with pytest.raises(Forbidden):
        standing(claims(None))


def test_memberships_say_the_role_in_another() -> None:
    assert standing_in("org_b", {"org_a": "admin", "org_b": "member"}) == ("org_b", "member")
    with pytest.raises(Forbidden):
        standing_in("org_b", {"org_a": "admin"})


@pytest.mark.parametrize(
    ("organization_id", "role", "platform", "operator"),
    [
        ("org_a", "admin", "org_a", True),
        ("org_a", "member", "org_a", False),
        ("org_a", "admin", "org_b", False),
        ("org_a", "admin", None, False),
    ],
)
def test_only_admins_of_the_platforms_organization_operate(
    organization_id: str, role: Role, platform: str | None, operator: bool
) -> None:
    assert operates(Standing(organization_id, role), platform) is operator
