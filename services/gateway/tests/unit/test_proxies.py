import pytest

from gateway.domain.proxies import Proxies

PROXIED = {b"host": b"inner:8000", b"x-forwarded-proto": b"https", b"x-forwarded-host": b"api.example"}


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        (b"203.0.113.9", "203.0.113.9"),
        (b"6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (b"6.6.6.6, 203.0.113.9, 10.0.0.7", "203.0.113.9"),
        (b"10.0.0.8, 10.0.0.7", "10.0.0.8"),
        (b"2001:db8::1", "2001:db8::1"),
        (b"unknown, 10.0.0.7", "10.0.0.7"),
        (b"203.0.113.9:4711", "10.0.0.1"),
        (b"", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_in_the_chain_that_is_no_trusted_proxy(chain: bytes, client: str) -> None:
    origin = Proxies(["10.0.0.0/8"]).origin("10.0.0.1", "http", {**PROXIED, b"x-forwarded-for": chain})
    assert origin == (client, "https", b"api.example")


@pytest.mark.parametrize(("trusted", "peer"), [([], "10.0.0.1"), (["10.0.0.0/8"], "192.0.2.1"), (["::1"], "unknown")])
def test_who_is_not_trusted_is_not_believed(trusted: list[str], peer: str) -> None:
    headers = {**PROXIED, b"x-forwarded-for": b"203.0.113.9"}
    assert Proxies(trusted).origin(peer, "http", headers) == (peer, "http", b"inner:8000")


def test_a_trusted_proxy_may_say_less() -> None:
    headers = {b"host": b"inner:8000", b"x-forwarded-proto": b"gopher"}
    assert Proxies(["10.0.0.1"]).origin("10.0.0.1", "http", headers) == ("10.0.0.1", "http", b"inner:8000")
