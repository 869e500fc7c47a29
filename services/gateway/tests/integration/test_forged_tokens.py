"""Tokens as an adversary would bend them. Most carry a signature by the right key: what is refused is the rest."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

VERIFY = "/api/v1/auth/verify"
SHA256, SHA384, SHA512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()
PKCS1, PROBABILISTIC = PKCS1v15(), PSS(MGF1(SHA256), 32)


def encoded(part: Mapping[str, Any] | bytes) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Forger:
    """Knows a genuine token, and signs what it likes."""

    def __init__(self, token: str, key: RSAPrivateKey) -> None:
        self.token, self._key = token, key
        self.head = jwt.get_unverified_header(token)
        self.payload = jwt.decode(token, options={"verify_signature": False})

    def signed(
        self,
        head: Mapping[str, Any] | bytes,
        payload: Mapping[str, Any] | bytes,
        digest: hashes.HashAlgorithm = SHA256,
        padding: AsymmetricPadding = PKCS1,
    ) -> str:
        text = f"{encoded(head)}.{encoded(payload)}"
        return f"{text}.{encoded(self._key.sign(text.encode(), padding, digest))}"

    def headed(self, **changes: Any) -> str:
        return self.signed({**self.head, **changes}, self.payload)

    def claiming(self, text: str) -> str:
        """With this JSON after the genuine claims."""
        return self.signed(self.head, json.dumps(self.payload)[:-1].encode() + f", {text}}}".encode())


Forged = Callable[[Forger], str]


@pytest.fixture
def forger(clerk: Any) -> Forger:
    key = load_pem_private_key(clerk.key_file.read_bytes(), None)
    assert isinstance(key, RSAPrivateKey)
    return Forger(clerk.token(), key)


async def status_with(gateway: httpx.AsyncClient, token: str) -> int:
    return (await gateway.get(VERIFY, headers={b"Authorization": b"Bearer " + token.encode("latin-1")})).status_code


async def test_the_forger_can_sign(gateway: httpx.AsyncClient, forger: Forger) -> None:
    assert await status_with(gateway, forger.signed(forger.head, forger.payload)) == 200
    assert await status_with(gateway, forger.claiming('"nothing": 1')) == 200


HEADS: Mapping[str, Forged] = {
    "another hash": lambda f: f.signed({**f.head, "alg": "RS384"}, f.payload, SHA384),
    "a longer hash": lambda f: f.signed({**f.head, "alg": "RS512"}, f.payload, SHA512),
    "another padding": lambda f: f.signed({**f.head, "alg": "PS256"}, f.payload, SHA256, PROBABILISTIC),
    "another hash than it says": lambda f: f.signed(f.head, f.payload, SHA384),
    "another padding than it says": lambda f: f.signed(f.head, f.payload, SHA256, PROBABILISTIC),
    "an algorithm in small letters": lambda f: f.headed(alg="rs256"),
    "a list of algorithms": lambda f: f.headed(alg=["RS256"]),
    "no algorithm": lambda f: f.signed({"kid": f.head["kid"]}, f.payload),
    "no key id": lambda f: f.signed({"alg": "RS256"}, f.payload),
    "an empty key id": lambda f: f.headed(kid=""),
    "a number as key id": lambda f: f.headed(kid=1),
    "a list as key id": lambda f: f.headed(kid=[f.head["kid"]]),
    "a key id and a space": lambda f: f.headed(kid=f.head["kid"] + " "),
    "a path as key id": lambda f: f.headed(kid="../../../../dev/null"),
    "a query as key id": lambda f: f.headed(kid="' OR '1'='1"),
    "a very long key id": lambda f: f.headed(kid="k" * 8000),
    "an extension nobody knows": lambda f: f.headed(crit=["https://x.example"], **{"https://x.example": 1}),
    "a known name as extension": lambda f: f.headed(crit=["exp"]),
    "no extension at all": lambda f: f.headed(crit=[]),
    "a payload that is not encoded": lambda f: f.headed(b64=False, crit=["b64"]),
    "a payload that is not encoded, kept quiet": lambda f: f.headed(b64=False),
    "a list as head": lambda f: f.signed(b"[]", f.payload),
}

PAYLOADS: Mapping[str, Forged] = {
    "expired, said last": lambda f: f.claiming('"exp": 1'),
    "another issuer, said last": lambda f: f.claiming('"iss": "https://elsewhere.example"'),
    "pending, said last": lambda f: f.claiming('"sts": "pending"'),
    "before the epoch": lambda f: f.claiming('"exp": -1'),
    "true as expiry": lambda f: f.claiming('"exp": true'),
    "no number as expiry": lambda f: f.claiming('"exp": NaN'),
    "an endless expiry": lambda f: f.claiming('"exp": 1e400'),
    "an expiry of many digits": lambda f: f.claiming(f'"exp": {"9" * 5000}'),
    "a text as expiry": lambda f: f.claiming(f'"exp": "{int(time.time()) + 600}"'),
    "a text as beginning": lambda f: f.claiming('"nbf": "1"'),
    "true as time of issue": lambda f: f.claiming('"iat": true'),
    "half a character as user": lambda f: f.claiming('"sub": "\\ud800"'),
    "a line break in the user": lambda f: f.claiming('"sub": "user\\r\\nx: y"'),
    "no organization's id": lambda f: f.claiming('"o": {"id": "../org_north", "rol": "admin"}'),
    "two organizations' ids": lambda f: f.claiming('"o": {"id": "org_north org_south", "rol": "admin"}'),
    "pending in a list": lambda f: f.claiming('"sts": ["pending"]'),
    "an expiry in an object": lambda f: f.claiming('"exp": {"$gt": 0}'),
    "valid in a century": lambda f: f.claiming(f'"nbf": {int(time.time()) + 3_153_600_000}'),
    "valid in ten seconds": lambda f: f.claiming(f'"nbf": {int(time.time()) + 10}'),
    "no number as beginning": lambda f: f.claiming('"nbf": NaN'),
    "issued in ten seconds": lambda f: f.claiming(f'"iat": {int(time.time()) + 10}'),
    "a slash after the issuer": lambda f: f.claiming(f'"iss": "{f.payload["iss"]}/"'),
    "a list of issuers": lambda f: f.claiming(f'"iss": ["{f.payload["iss"]}"]'),
    "the issuer in capitals": lambda f: f.claiming(f'"iss": "{f.payload["iss"].upper()}"'),
    "a list as organization": lambda f: f.claiming('"o": ["org_north"]'),
    "a list as actor": lambda f: f.claiming('"act": ["user_support"]'),
    "a token within": lambda f: f.signed({**f.head, "cty": "JWT"}, f.token.encode()),
    "a list": lambda f: f.signed(f.head, b"[]"),
    "nothing": lambda f: f.signed(f.head, b""),
    "null": lambda f: f.signed(f.head, b"null"),
    "half an object": lambda f: f.signed(f.head, b'{"exp": 1'),
    "very deep": lambda f: f.signed(f.head, b'{"a":' + b"[" * 9000 + b"]" * 9000 + b"}"),
}

SPELLINGS: Mapping[str, Forged] = {
    "the standard alphabet": lambda f: f.token[:-9] + "+" + f.token[-8:],
    "one padding too many": lambda f: f.token + "=",
    "all the padding": lambda f: f.token + "==",
    "padding in the middle": lambda f: f.token.replace(".", "=."),
    "a space in the middle": lambda f: f.token[:-9] + " " + f.token[-9:],
    "a tabulator in the middle": lambda f: f.token[:-9] + "\t" + f.token[-9:],
    "what is no letter": lambda f: f.token[:-9] + "!" + f.token[-9:],
    "a letter beyond ASCII": lambda f: f.token + "\u00e9",
    "quotes": lambda f: f'"{f.token}"',
    "a semicolon": lambda f: f.token + ";",
    "two of them": lambda f: f"{f.token}, {f.token}",
    "the scheme twice": lambda f: f"Bearer {f.token}",
    "two schemes": lambda f: f"{f.token}, Basic dTpw",
    "two parts": lambda f: f.token.rpartition(".")[0],
    "four parts": lambda f: f.token + ".x",
    "five parts": lambda f: f"{f.token}..",
    "the payload elsewhere": lambda f: "{0}..{2}".format(*f.token.split(".")),
    "the signature elsewhere": lambda f: f.token.rpartition(".")[0] + ".",
    "the signature of another": lambda f: f.token.rpartition(".")[0] + f.headed(typ="x")[-343:],
    "the signature twice": lambda f: f.token + f.token.rpartition(".")[2],
}


@pytest.mark.parametrize("table", [HEADS, PAYLOADS, SPELLINGS], ids=["heads", "payloads", "spellings"])
async def test_what_is_strange_is_refused_though_the_genuine_token_is_known(
    gateway: httpx.AsyncClient, forger: Forger, table: Mapping[str, Forged]
) -> None:
    assert await status_with(gateway, forger.token) == 200
    assert {case: await status_with(gateway, forge(forger)) for case, forge in table.items()} == dict.fromkeys(
        table, 401
    )
    assert await status_with(gateway, forger.token) == 200


async def test_a_key_that_comes_with_the_token_is_not_used(
    gateway: httpx.AsyncClient, forger: Forger, serving: Any
) -> None:
    asked = []

    async def keys(request: Request) -> Response:
        asked.append(request.url.path)
        return JSONResponse({"keys": [mine]})

    foreign = generate_private_key(65537, 2048)
    mine = {**RSAAlgorithm.to_jwk(foreign.public_key(), as_dict=True), "kid": "mine", "alg": "RS256"}
    address = await serving(Starlette(routes=[Route("/{path:path}", keys)]))
    for kid in (forger.head["kid"], "mine", f"{address}/kid"):
        for offered in ({"jwk": mine}, {"jku": f"{address}/jku"}, {"x5u": f"{address}/x5u"}, {"x5c": ["MIIB"]}):
            head = {**forger.head, **offered, "kid": kid}
            assert await status_with(gateway, Forger(forger.token, foreign).signed(head, forger.payload)) == 401
    assert asked == []


async def test_a_large_token_is_judged_and_a_huge_one_is_not_read(gateway: httpx.AsyncClient, forger: Forger) -> None:
    assert await status_with(gateway, forger.claiming(f'"x": "{"y" * 15_000}"')) == 200
    assert await status_with(gateway, forger.claiming(f'"x": "{"y" * 30_000}"')) == 431


@pytest.mark.parametrize(
    ("before", "status"),
    [
        ("Bearer ", 200),
        ("bearer ", 200),
        ("BEARER ", 200),
        ("Bearer  ", 200),
        ("Bearer", 401),
        ("Bearer\t", 401),
        ("Bearer: ", 401),
        ("Token ", 401),
        ("Basic dTpw, Bearer ", 401),
        ("", 401),
    ],
)
async def test_the_scheme_is_bearer_in_capitals_or_not(
    gateway: httpx.AsyncClient, forger: Forger, before: str, status: int
) -> None:
    answer = await gateway.get(VERIFY, headers={"Authorization": before + forger.token})
    assert answer.status_code == status


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "jwt", "__session"])
async def test_a_token_counts_in_its_header_only(gateway: httpx.AsyncClient, forger: Forger, name: str) -> None:
    assert (await gateway.get(VERIFY, params={name: forger.token})).status_code == 401
    assert (await gateway.get(VERIFY, headers={"Cookie": f"{name}={forger.token}"})).status_code == 401
    assert (await gateway.get(VERIFY, headers={f"X-{name.strip('_')}": forger.token})).status_code == 401
    assert (await gateway.request("GET", VERIFY, data={name: forger.token})).status_code == 401


async def test_the_same_token_twice_is_no_token(gateway: httpx.AsyncClient, forger: Forger) -> None:
    bearer = ("Authorization", f"Bearer {forger.token}")
    for second in (bearer, ("authorization", "Basic dTpw"), ("AUTHORIZATION", "")):
        assert (await gateway.get(VERIFY, headers=[bearer, second])).status_code == 400
