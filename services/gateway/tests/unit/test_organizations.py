import pytest

from chassis.errors import BadRequest, Forbidden
from gateway.domain.claims import Claims
from gateway.domain.organizations import named, operates, permitted


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


def test_a_member_acts_for_the_sessions_organization_only() -> None:
    assert permitted(claims(), None) == "org_a"
    assert permitted(claims(), "org_a") == "org_a"
    with pytest.raises(Forbidden):
        permitted(claims(), "org_b")


def test_without_an_active_organization_nobody_acts() -> None:
    for name in (None, "org_a"):
        with pytest.raises(Forbidden):
            permitted(claims(None), name)


@pytest.mark.parametrize(
    ("organization_id", "role", "platform", "operator"),
    [
        ("org_a", "admin", "org_a", True),
        ("org_a", "member", "org_a", False),
        ("org_a", "admin", "org_b", False),
        ("org_a", "admin", None, False),
        (None, "admin", None, False),
    ],
)
def test_only_admins_of_the_platforms_organization_operate(
    organization_id: str | None, role: str, platform: str | None, operator: bool
) -> None:
    assert operates(claims(organization_id, role), platform) is operator
