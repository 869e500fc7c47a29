import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "clerk.pem"


def start(key_file: Path, port: int = 0, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "clerk_emulator", "--port", str(port), "--key-file", str(key_file), *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture
def clerk(key_file: Path) -> Iterator[httpx.Client]:
    process = start(key_file)
    assert process.stdout
    with httpx.Client(base_url=process.stdout.readline().split()[-1]) as client:
        yield client
    stop(process)


def issue(clerk: httpx.Client, **wanted: Any) -> str:
    return str(clerk.post("/tokens", json=wanted).raise_for_status().json()["token"])


def verified(clerk: httpx.Client, token: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict(clerk.get("/.well-known/jwks.json").json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    issuer = str(clerk.base_url).rstrip("/")
    claims: dict[str, Any] = jwt.decode(
        token, key, ["RS256"], issuer=issuer, options={"require": ["exp", "iat", "nbf", "sub", "sid"]}
    )
    return claims


def test_a_version_2_token_verifies_and_names_the_role_without_prefix(clerk: httpx.Client) -> None:
    claims = verified(clerk, issue(clerk, org="org_north", role="admin", user="user_1", azp="https://app.example"))
    assert (claims["v"], claims["sub"], claims["azp"], claims["sts"]) == (2, "user_1", "https://app.example", "active")
    assert (claims["o"]["id"], claims["o"]["rol"], claims["o"]["slg"]) == ("org_north", "admin", "north")
    assert "org_id" not in claims


def test_a_version_1_token_names_the_role_with_prefix(clerk: httpx.Client) -> None:
    claims = verified(clerk, issue(clerk, org="org_north", version=1))
    assert (claims["org_id"], claims["org_role"], claims["org_slug"]) == ("org_north", "org:member", "north")
    assert "o" not in claims
    assert "v" not in claims


@pytest.mark.parametrize("version", [1, 2])
def test_without_an_organization_the_token_names_none(clerk: httpx.Client, version: int) -> None:
    claims = verified(clerk, issue(clerk, version=version))
    assert "o" not in claims
    assert "org_id" not in claims
    assert claims["exp"] - claims["iat"] == 3600


def test_after_a_rotation_old_tokens_have_no_key(clerk: httpx.Client) -> None:
    token = issue(clerk)
    clerk.post("/rotate").raise_for_status()
    with pytest.raises(KeyError):
        verified(clerk, token)
    verified(clerk, issue(clerk))


@pytest.mark.parametrize(
    "wanted", [{"role": "owner"}, {"version": 3}, {"expires_in": "1h"}, {"colour": "red"}, {"org": 1}]
)
def test_a_token_clerk_would_not_issue_is_refused(clerk: httpx.Client, wanted: dict[str, Any]) -> None:
    assert clerk.post("/tokens", json=wanted).status_code == 422


def test_a_body_that_is_not_an_object_is_refused(clerk: httpx.Client) -> None:
    assert clerk.post("/tokens", content=b"{").status_code == 422
    assert clerk.post("/tokens", json=[1]).status_code == 422


def test_the_key_is_the_owners_alone_and_survives_a_restart(clerk: httpx.Client, key_file: Path) -> None:
    assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    again = start(key_file)
    assert again.stdout
    address = again.stdout.readline().split()[-1]
    try:
        assert httpx.get(f"{address}/.well-known/jwks.json").json() == clerk.get("/.well-known/jwks.json").json()
    finally:
        stop(again)


def test_a_taken_port_is_named(key_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(key_file, port)
        _out, problem = process.communicate(timeout=20)
    assert process.returncode == 2
    assert f"127.0.0.1:{port}" in problem
    assert "Traceback" not in problem


MEMBERSHIPS = "/v1/users/user_1/organization_memberships"
SECRET = {"Authorization": "Bearer sk_test_1"}


@pytest.fixture
def backend(key_file: Path) -> Iterator[httpx.Client]:
    process = start(key_file, 0, "--secret-key", "sk_test_1")
    assert process.stdout
    with httpx.Client(base_url=process.stdout.readline().split()[-1]) as client:
        yield client
    stop(process)


def test_memberships_come_in_pages_with_prefixed_roles(backend: httpx.Client) -> None:
    roles = {f"org_{n}": "admin" if n == 0 else "member" for n in range(12)}
    assert backend.put("/memberships/user_1", json=roles).status_code == 204
    first = backend.get(MEMBERSHIPS, headers=SECRET).json()
    second = backend.get(MEMBERSHIPS, params={"limit": 100, "offset": 10}, headers=SECRET).json()
    assert (len(first["data"]), first["total_count"], len(second["data"])) == (10, 12, 2)
    assert [m["role"] for m in first["data"][:2]] == ["org:admin", "org:member"]
    assert [m["organization"]["id"] for m in first["data"] + second["data"]] == list(roles)


def test_a_user_nobody_knows_belongs_nowhere(backend: httpx.Client) -> None:
    assert backend.get(MEMBERSHIPS, headers=SECRET).json() == {"data": [], "total_count": 0}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk_test_2"}])
def test_the_backend_is_closed_without_the_secret_key(
    backend: httpx.Client, clerk: httpx.Client, headers: dict[str, str]
) -> None:
    assert backend.get(MEMBERSHIPS, headers=headers).status_code == 401
    assert clerk.get(MEMBERSHIPS, headers=SECRET).status_code == 401


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": 501}, {"limit": "x"}, {"offset": -1}])
def test_a_page_clerk_would_not_give_is_refused(backend: httpx.Client, page: dict[str, Any]) -> None:
    assert backend.get(MEMBERSHIPS, params=page, headers=SECRET).status_code == 422


@pytest.mark.parametrize("roles", [[], {"org_1": "owner"}, {"org_1": 1}, {"org_1": []}])
def test_a_membership_clerk_does_not_know_is_refused(backend: httpx.Client, roles: Any) -> None:
    assert backend.put("/memberships/user_1", json=roles).status_code == 422
