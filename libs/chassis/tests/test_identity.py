import pytest
from pydantic import ValidationError

from chassis.errors import Unauthorized
from chassis.identity import LIFETIME_SECONDS, Caller, sign, verify
from chassis.settings import Settings

KEY = b"k" * 32
NOW = 1_750_000_000.0
CALLER = Caller("org_a", "user_1", "member", "0" * 32)


def test_what_the_gateway_signed_is_believed_by_the_service_it_was_signed_for() -> None:
    header = sign(CALLER, "patients", KEY, NOW)
    assert verify(header, "patients", KEY, NOW + LIFETIME_SECONDS, CALLER.request_id) == CALLER


@pytest.mark.parametrize(
    ("header", "service", "key", "now"),
    [
        (sign(CALLER, "patients", KEY, NOW), "sync", KEY, NOW),
        (sign(CALLER, "patients", b"other" * 8, NOW), "patients", KEY, NOW),
        (sign(CALLER, "patients", KEY, NOW), "patients", KEY, NOW + LIFETIME_SECONDS + 1),
        ("A" + sign(CALLER, "patients", KEY, NOW), "patients", KEY, NOW),
        (sign(CALLER, "patients", KEY, NOW)[:-4], "patients", KEY, NOW),
        ("", "patients", KEY, NOW),
        ("e30=.e30=", "patients", KEY, NOW),
        ("a.b.c", "patients", KEY, NOW),
        ("ü.ü", "patients", KEY, NOW),
    ],
    ids=[
        "another service",
        "another key",
        "expired",
        "changed",
        "cut",
        "missing",
        "forged",
        "three parts",
        "not ascii",
    ],
)
def test_anything_else_is_refused(header: str, service: str, key: bytes, now: float) -> None:
    with pytest.raises(Unauthorized):
        verify(header, service, key, now)


def test_the_key_is_changed_in_three_steps_and_every_request_is_believed() -> None:
    """First the services know both keys, then the gateway signs with the new one, then the old one goes."""
    old, new = KEY, b"n" * 32
    both = b",".join((new, old))
    for gateway, service in ((old, old), (old, both), (both, both), (new, both), (new, new)):
        assert verify(sign(CALLER, "sync", gateway, NOW), "sync", service, NOW, CALLER.request_id) == CALLER
    with pytest.raises(Unauthorized):
        verify(sign(CALLER, "sync", old, NOW), "sync", new, NOW)


@pytest.mark.parametrize("key", ["short", f"{'k' * 32},short", f"{'k' * 32},", ""])
def test_a_weak_key_is_refused_wherever_it_stands(key: str) -> None:
    with pytest.raises(ValidationError, match="32 characters") as refusal:
        Settings(identity_key=key)
    assert "kkk" not in str(refusal.value)
