import pytest

from routiq.failures import UsageError
from routiq.settings import from_environment


@pytest.mark.parametrize("port", ["0", "65536", "http", "-1"])
def test_a_port_that_is_none_is_refused_by_its_name(port: str) -> None:
    with pytest.raises(UsageError, match="SYNC_PORT must be a port"):
        from_environment({"SYNC_PORT": port})


def test_an_unknown_kind_of_broker_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="ROUTIQ_BROKER must be one of installed, embedded"):
        from_environment({"ROUTIQ_BROKER": "docker"})


def test_an_empty_setting_counts_as_not_given() -> None:
    settings = from_environment({"DATABASE_URL": "", "CLERK_ISSUER": "", "PORT": ""})
    assert "DATABASE_URL" not in settings.given
    assert settings.has_own_clerk
    assert settings.ports["gateway"] == 8000
