"""Whom the limits count together while nobody is known: an IPv4 address, or the /64 that one IPv6 client has."""

from typing import Any

import httpx
import pytest

ECHO = "/api/v1/patients/org_north/patients"
PUBLIC = 100


@pytest.fixture
async def gateway(start_gateway: Any) -> httpx.AsyncClient:
    """Behind a proxy that names the client."""
    started: httpx.AsyncClient = await start_gateway(trusted_proxies=("127.0.0.1",))
    return started


async def spent(gateway: httpx.AsyncClient, *addresses: str) -> list[int]:
    """What of its budget a client has spent with each of these requests."""
    answers = [await gateway.get("/", headers={"X-Forwarded-For": address}) for address in addresses]
    return [PUBLIC - int(answer.headers["X-RateLimit-Remaining"]) for answer in answers]


async def test_ipv4_clients_are_counted_each(gateway: httpx.AsyncClient) -> None:
    assert await spent(gateway, "203.0.113.1", "203.0.113.2", "203.0.113.1") == [1, 1, 2]


async def test_all_addresses_of_one_ipv6_network_are_one_client(gateway: httpx.AsyncClient) -> None:
    same = ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:DB8:1:2::9", "2001:0db8:0001:0002::1")
    assert await spent(gateway, *same) == [1, 2, 3, 4]
    assert await spent(gateway, "2001:db8:1:3::1", "2001:db8:2:2::1") == [1, 1]


async def test_moving_through_a_network_does_not_evade_the_limit(gateway: httpx.AsyncClient) -> None:
    for address in range(PUBLIC):
        await gateway.get("/", headers={"X-Forwarded-For": f"2001:db8::{address:x}"})
    answer = await gateway.get("/", headers={"X-Forwarded-For": "2001:db8::dead:beef"})
    assert answer.status_code == 429


async def test_an_ipv4_client_is_the_same_in_ipv6_clothes(gateway: httpx.AsyncClient) -> None:
    assert await spent(gateway, "203.0.113.7", "::ffff:203.0.113.7", "::ffff:cb00:7107") == [1, 2, 3]
    assert await spent(gateway, "::ffff:203.0.113.8") == [1], "not all of IPv4 is one client"


async def test_a_zone_does_not_change_who_it_is(gateway: httpx.AsyncClient) -> None:
    assert await spent(gateway, "fe80::1", "fe80::2%eth0") == [1, 2]


async def test_a_service_hears_the_whole_address(gateway: httpx.AsyncClient, clerk: Any) -> None:
    address = "2001:db8:1:2::77"
    answer = await gateway.get(ECHO, headers={**clerk.bearer(), "X-Forwarded-For": address})
    assert answer.json()["headers"]["x-forwarded-for"] == address
