import asyncio
import base64
import hmac
import json
import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK
from prometheus_client import REGISTRY

NEXT_HOUR = int(time.time()) + 3600
VERIFY = "/api/v1/auth/verify"
NESTED = base64.urlsafe_b64encode(b"[" * 15_000).decode()


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def status_with(gateway: httpx.AsyncClient, token: str) -> int:
    answer = await gateway.get(VERIFY, headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 401:
        assert answer.json()["error"] == "Authentication failed"
        assert answer.json()["detail"] == "Invalid or expired token"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    return answer.status_code


@pytest.mark.parametrize("version", [1, 2])
async def test_a_token_of_either_version_is_believed(gateway: httpx.AsyncClient, clerk: Any, version: int) -> None:
    answer = await gateway.get(VERIFY, headers=clerk.bearer(version=version))
    assert answer.status_code == 200
    assert answer.json() == {
        "authenticated": True,
        "organization_id": "org_north",
        "message": "Authentication successful",
    }


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Basic dTpw", "token"])
async def test_without_a_bearer_token_nobody_is_known(gateway: httpx.AsyncClient, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = await gateway.get(VERIFY, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "Authentication failed")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": int(time.time()) - 10},
        {"exp": None},
        {"nbf": NEXT_HOUR},
        {"nbf": None},
        {"iat": None},
        {"iat": NEXT_HOUR},
        {"sub": None},
        {"sub": 1},
        {"sid": None},
        {"sub": ""},
        {"exp": "soon"},
        {"exp": float("inf")},
        {"exp": [1]},
        {"nbf": "soon"},
        {"iat": {}},
        {"azp": ["https://app.example"]},
        {"azp": ""},
        {"o": "org_north"},
        {"o": {"id": 1, "rol": "admin"}},
        {"o": {"id": "org_north", "rol": 1}},
        {"act": "user_support"},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"sts": "pending"},
        {"azp": "https://elsewhere.example"},
    ],
    ids=",".join,
)
async def test_wrong_claims_are_refused_though_the_signature_is_right(
    start_gateway: Any, clerk: Any, claims: dict[str, Any]
) -> None:
    gateway = await start_gateway(clerk_authorized_parties=("https://app.example",))
    assert await status_with(gateway, clerk.forged(azp="https://app.example")) == 200
    assert await status_with(gateway, clerk.forged(azp=None)) == 200
    assert await status_with(gateway, clerk.forged(**claims)) == 401


async def test_five_seconds_of_difference_between_clocks_are_forgiven(gateway: httpx.AsyncClient, clerk: Any) -> None:
    assert await status_with(gateway, clerk.forged(exp=int(time.time()) - 2)) == 200


async def test_a_foreign_key_under_a_known_id_is_refused(gateway: httpx.AsyncClient, clerk: Any) -> None:
    foreign = generate_private_key(65537, 2048)
    assert await status_with(gateway, clerk.forged(key=foreign)) == 401
    assert await status_with(gateway, clerk.token()) == 200


async def test_an_unknown_key_id_is_refused(gateway: httpx.AsyncClient, clerk: Any) -> None:
    assert await status_with(gateway, clerk.forged(kid="ins_forged")) == 401


async def test_a_token_without_signature_is_refused(gateway: httpx.AsyncClient, clerk: Any) -> None:
    _head, payload, signature = clerk.token().split(".")
    kid = jwt.get_unverified_header(clerk.token())["kid"]
    for algorithm in ("none", "None", "RS256"):
        head = encoded(json.dumps({"alg": algorithm, "kid": kid}).encode())
        assert await status_with(gateway, f"{head}.{payload}.") == 401
        assert await status_with(gateway, f"{head}.{payload}.{signature[:-4]}") == 401


async def test_the_public_key_is_no_shared_secret(gateway: httpx.AsyncClient, clerk: Any) -> None:
    modulus = clerk.jwk()["n"]  # PyJWT refuses to sign with a whole JWK or PEM, so the forger signs by hand
    for secret in (
        modulus.encode(),
        PyJWK(clerk.jwk()).key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ):
        head, payload, _signature = clerk.token().split(".")
        head = encoded(json.dumps({"alg": "HS256", "kid": clerk.jwk()["kid"]}).encode())
        signature = encoded(hmac.digest(secret, f"{head}.{payload}".encode(), "sha256"))
        assert await status_with(gateway, f"{head}.{payload}.{signature}") == 401


@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "....", "é.é.é", "eyJhbGciOiJSUzI1NiJ9.e30.x", f"{NESTED}.e30.x", "x" * 20_000]
)
async def test_what_is_no_token_is_refused(gateway: httpx.AsyncClient, token: str) -> None:
    answer = await gateway.get(VERIFY, headers={b"Authorization": b"Bearer " + token.encode("latin-1")})
    assert answer.status_code == 401


async def test_a_rotated_key_is_picked_up_and_the_old_one_forgotten(start_gateway: Any, own_clerk: Any) -> None:
    gateway = await start_gateway(clerk_issuer=own_clerk.issuer)
    old = own_clerk.token()
    unseen = own_clerk.token()
    assert await status_with(gateway, old) == 200
    own_clerk.rotate()
    assert await status_with(gateway, own_clerk.token()) == 200
    assert await status_with(gateway, unseen) == 401


async def test_all_who_come_with_a_rotated_key_are_let_in_by_one_fetch(start_gateway: Any, own_clerk: Any) -> None:
    gateway = await start_gateway(clerk_issuer=own_clerk.issuer)
    own_clerk.rotate()
    tokens = [own_clerk.token(user=f"user_{n}") for n in range(30)]
    before = fetches()
    assert set(await asyncio.gather(*(status_with(gateway, token) for token in tokens))) == {200}
    assert fetches() == before + 1


async def test_many_forged_tokens_cost_one_fetch_and_nobody_their_place(start_gateway: Any, own_clerk: Any) -> None:
    gateway = await start_gateway(clerk_issuer=own_clerk.issuer)
    genuine, foreign = own_clerk.token(), generate_private_key(65537, 2048)
    payload = jwt.decode(genuine, options={"verify_signature": False})
    forged = [jwt.encode(payload, foreign, "RS256", {"kid": f"ins_{n}"}) for n in range(90)]
    forged += [
        jwt.encode({**payload, "jti": str(n)}, foreign, "RS256", {"kid": own_clerk.jwk()["kid"]}) for n in range(9)
    ]
    assert await status_with(gateway, genuine) == 200
    before, remembered = fetches(), judged("remembered")
    assert set(await asyncio.gather(*(status_with(gateway, token) for token in forged))) == {401}
    assert fetches() == before + 1
    assert await status_with(gateway, genuine) == 200
    assert judged("remembered") == remembered + 1


def fetches() -> float:
    return REGISTRY.get_sample_value("routiq_gateway_jwks_fetches_total", {"outcome": "fetched"}) or 0


def judged(outcome: str) -> float:
    return REGISTRY.get_sample_value("routiq_gateway_tokens_total", {"outcome": outcome}) or 0


async def test_while_clerk_never_answered_nobody_can_sign_in(start_gateway: Any, clerk: Any) -> None:
    gateway = await start_gateway(clerk_jwks_url="http://127.0.0.1:9/jwks.json")
    answer = await gateway.get(VERIFY, headers=clerk.bearer())
    assert (answer.status_code, answer.json()["error"]) == (503, "Service unavailable")
    assert (await gateway.get("/health/ready")).json()["checks"]["jwks"] is False
