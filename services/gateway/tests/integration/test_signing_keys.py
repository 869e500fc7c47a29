import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from jwt.algorithms import RSAAlgorithm
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.errors import Unauthorized, Unavailable
from gateway.adapters.clerk import HARD_AGE_SECONDS, SigningKeys
from gateway.adapters.tokens import Tokens

PUBLIC_KEY = RSAAlgorithm.to_jwk(generate_private_key(65537, 2048).public_key(), as_dict=True)


class Jwks:
    """Clerk's address for keys, counting who asks."""

    def __init__(self) -> None:
        self.fetches, self.kids, self.broken = 0, ["one"], False
        self.delay = 0.0

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/", self._answer)])

    async def _answer(self, _request: Request) -> Response:
        self.fetches += 1
        await asyncio.sleep(self.delay)
        if self.broken:
            return Response("<html>", 200)
        return JSONResponse({"keys": [{**PUBLIC_KEY, "kid": kid, "alg": "RS256", "use": "sig"} for kid in self.kids]})


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def jwks() -> Jwks:
    return Jwks()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def keys(jwks: Jwks, clock: Clock, serving: Any) -> AsyncIterator[SigningKeys]:
    async with httpx.AsyncClient() as client:
        yield SigningKeys(await serving(jwks.app()), client, clock)


@asynccontextmanager
async def warmed(keys: SigningKeys) -> AsyncIterator[None]:
    task = asyncio.create_task(keys.keep_fresh())
    while not keys.usable:
        await asyncio.sleep(0.005)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_thousand_forged_ids_cause_one_fetch(keys: SigningKeys, jwks: Jwks, clock: Clock) -> None:
    async with warmed(keys):
        found = await asyncio.gather(*(keys.find(f"forged-{n}") for n in range(1000)))
        assert set(found) == {None}
        for n in range(100):
            await keys.find(f"later-{n}")
            clock.now += 0.1
        assert jwks.fetches == 2


async def test_all_who_wait_for_a_rotated_key_get_it_from_one_fetch(keys: SigningKeys, jwks: Jwks) -> None:
    async with warmed(keys):
        jwks.kids, jwks.delay = ["two"], 0.05
        assert all(await asyncio.gather(*(keys.find("two") for _ in range(50))))
        assert await keys.find("one") is None
        assert jwks.fetches == 2


async def test_requests_before_the_first_answer_share_one_fetch(keys: SigningKeys, jwks: Jwks) -> None:
    jwks.delay = 0.05
    assert all(await asyncio.gather(*(keys.find("one") for _ in range(50))))
    assert jwks.fetches == 1


async def test_old_keys_serve_a_day_while_clerk_is_away(keys: SigningKeys, jwks: Jwks, clock: Clock) -> None:
    async with warmed(keys):
        jwks.broken = True
        clock.now = HARD_AGE_SECONDS - 1
        assert await keys.find("one")
        assert await keys.find("two") is None
        clock.now = HARD_AGE_SECONDS
        with pytest.raises(Unavailable):
            await keys.find("one")


async def test_after_a_failure_requests_wait_before_they_ask_again(keys: SigningKeys, jwks: Jwks, clock: Clock) -> None:
    jwks.broken = True
    for _ in range(20):
        with pytest.raises(Unavailable):
            await keys.find("one")
    assert jwks.fetches == 1
    jwks.broken = False
    clock.now += 5
    assert await keys.find("one")


@pytest.mark.parametrize("document", [[], {}, {"keys": []}, {"keys": [{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}]}])
async def test_a_key_set_without_rsa_keys_is_a_failure(serving: Any, document: Any) -> None:
    async def answer(_request: Request) -> Response:
        return JSONResponse(document)

    async with httpx.AsyncClient() as client:
        keys = SigningKeys(await serving(Starlette(routes=[Route("/", answer)])), client)
        with pytest.raises(Unavailable):
            await keys.find("one")


async def test_claims_are_remembered_for_a_minute_and_never_past_their_expiry(clerk: Any) -> None:
    async with httpx.AsyncClient() as client:
        keys, clock = SigningKeys(f"{clerk.issuer}/.well-known/jwks.json", client), Clock()
        tokens = Tokens(keys, clerk.issuer, (), clock)
        short, long = clerk.token(expires_in=30), clerk.token(expires_in=600)
        clock.now = (await tokens.verify(short)).expires_at - 30
        await tokens.verify(short)
        await tokens.verify(long)
        for passed, remembered in ((29, {short, long}), (31, {long}), (61, set())):
            for token in (short, long):
                before, start = verified(), clock.now
                clock.now += passed
                await tokens.verify(token)
                clock.now = start
                assert (verified() == before) is (token in remembered)


async def test_a_session_whose_key_was_withdrawn_passes_for_a_minute_at_most(own_clerk: Any) -> None:
    async with httpx.AsyncClient() as client:
        keys, clock = SigningKeys(f"{own_clerk.issuer}/.well-known/jwks.json", client), Clock()
        tokens = Tokens(keys, own_clerk.issuer, (), clock)
        withdrawn = own_clerk.token(expires_in=600)
        await tokens.verify(withdrawn)
        own_clerk.rotate()
        await tokens.verify(own_clerk.token())
        for _ in range(59):  # to come often prolongs nothing
            clock.now += 1
            await tokens.verify(withdrawn)
        clock.now += 1
        with pytest.raises(Unauthorized):
            await tokens.verify(withdrawn)


async def test_bad_signatures_push_no_good_token_out(clerk: Any) -> None:
    async with httpx.AsyncClient() as client:
        tokens = Tokens(SigningKeys(f"{clerk.issuer}/.well-known/jwks.json", client), clerk.issuer, (), capacity=3)
        good = [clerk.token(user=f"user_{n}") for n in range(3)]
        for token in good:
            await tokens.verify(token)
        before = verified()
        for n in range(1000):
            with pytest.raises(Unauthorized):
                await tokens.verify(f"{good[0][:-8]}{n:08}")
        for token in good:
            await tokens.verify(token)
        assert verified() == before


def verified() -> float:
    return REGISTRY.get_sample_value("routiq_gateway_tokens_total", {"outcome": "verified"}) or 0
