import base64

import pytest

from sync.adapters.vault import Unreadable, Vault

OLD, NEW = (f"{name}:{base64.b64encode(byte * 32).decode()}" for name, byte in (("old", b"o"), ("new", b"n")))


def test_what_was_sealed_opens_for_its_organization_only_and_after_a_change_of_keys() -> None:
    sealed = Vault(OLD).seal("MS0-secret-au4", "org_a")
    assert b"secret" not in sealed
    rotated = Vault(f"{NEW},{OLD}")
    assert rotated.open(sealed, "org_a") == "MS0-secret-au4"
    assert rotated.seal("x", "org_a")[2:5] == b"new"
    with pytest.raises(Unreadable):
        rotated.open(sealed, "org_b")
    with pytest.raises(Unreadable):
        Vault(NEW).open(sealed, "org_a")


@pytest.mark.parametrize("keys", ["", "nokey", "a:short", "a:" + base64.b64encode(b"x" * 31).decode()])
def test_keys_that_are_no_keys_are_refused_at_the_start(keys: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64 and the cipher each word it their own way
        Vault(keys)
