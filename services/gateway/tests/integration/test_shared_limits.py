"""Several gateways that count in one store, under load, whatever becomes of the store."""

import asyncio
from collections import Counter
from functools import partial
from typing import Any

import httpx
from services.gateway.tests.stores import StartServer, until

VERIFY = "/api/v1/auth/verify"
PATIENTS = "/api/v1/patients/org_north/patients"


async def alone(gateway: httpx.AsyncClient) -> float:
    """How many requests were counted without the store."""
    lines = (await gateway.get("/metrics")).text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("routiq_gateway_limits_alone_total "))


async def shares(gateway: httpx.AsyncClient) -> bool:
    """A request is counted in the store: nothing was added to what the process counts alone."""
    before = await alone(gateway)
    await gateway.get("/")
    return await alone(gateway) == before


async def test_two_replicas_let_exactly_a_thousand_through(
    start_server: StartServer, start_gateway: Any, clerk: Any
) -> None:
    url = start_server().url
    replicas = [await start_gateway(redis_url=url) for _ in range(2)]
    for replica in replicas:
        await until(partial(shares, replica))
    bearer = clerk.bearer()

    async def ask(replica: httpx.AsyncClient) -> list[httpx.Response]:
        return [await replica.get(VERIFY, headers=bearer) for _ in range(55)]

    answered = await asyncio.gather(*(ask(replica) for replica in replicas for _ in range(10)))
    answers = [answer for some in answered for answer in some]
    passed = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert (len(answers), len(passed), len(refused)) == (1100, 1000, 100)
    assert sorted(int(answer.headers["X-RateLimit-Remaining"]) for answer in passed) == list(range(1000))
    assert {answer.headers["X-RateLimit-Remaining"] for answer in refused} == {"0"}
    assert len({answer.headers["X-RateLimit-Reset"] for answer in answers}) == 1
    assert {answer.url.port for answer in passed} == {replica.base_url.port for replica in replicas}


async def test_a_store_that_dies_and_comes_back_fails_no_request(
    start_server: StartServer, start_gateway: Any, clerk: Any
) -> None:
    server = start_server()
    gateway = await start_gateway(redis_url=server.url)
    await until(lambda: shares(gateway))
    phase, over = "before", asyncio.Event()
    statuses: Counter[tuple[str, int]] = Counter()

    async def load(user: int) -> None:
        """As many people one after the other as it takes for nobody to come to the end of a budget."""
        while not over.is_set():
            bearer, user = clerk.bearer(user=f"user_{user}"), user + 4
            for _ in range(500):
                began = phase
                answer = await gateway.get(PATIENTS, headers=bearer)
                statuses[began, answer.status_code] += 1
                assert int(answer.headers["X-RateLimit-Remaining"]) > 0
                if over.is_set():
                    break

    loads = [asyncio.create_task(load(user)) for user in range(4)]
    await until(lambda: _any_in(statuses, "before"))
    server.kill()
    phase = "away"
    counted = await alone(gateway)
    await until(lambda: _more(gateway, counted + 20))
    server.start()
    await until(lambda: shares(gateway))
    phase = "back"
    await until(lambda: _any_in(statuses, "back"))
    over.set()
    await asyncio.gather(*loads)
    assert statuses.keys() == {("before", 200), ("away", 200), ("back", 200)}


async def _any_in(statuses: Counter[tuple[str, int]], phase: str) -> bool:
    return statuses[phase, 200] > 20


async def _more(gateway: httpx.AsyncClient, than: float) -> bool:
    return await alone(gateway) > than


async def test_who_has_spent_a_budget_gains_nothing_when_the_store_dies(
    start_server: StartServer, start_gateway: Any, clerk: Any
) -> None:
    server = start_server()
    gateway = await start_gateway(redis_url=server.url)
    await until(lambda: shares(gateway))
    operator, path = clerk.bearer(org="org_platform", role="admin"), "/api/v1/admin/monitoring/system-health"
    assert [(await gateway.get(path, headers=operator)).status_code for _ in range(51)] == [200] * 50 + [429]
    server.kill()
    assert {(await gateway.get(path, headers=operator)).status_code for _ in range(20)} == {429}


async def test_without_a_store_to_be_found_the_gateway_counts_alone(start_gateway: Any, clerk: Any) -> None:
    gateway = await start_gateway(redis_url="redis://127.0.0.1:9")
    remaining = [(await gateway.get(VERIFY, headers=clerk.bearer())).headers["X-RateLimit-Remaining"] for _ in range(3)]
    assert remaining == ["999", "998", "997"]
