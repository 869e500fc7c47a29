import hmac
import json
import os
import subprocess
import sys
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

SECRET = "whsec_" + "A" * 32


@dataclass
class Endpoint:
    """Takes every message, and answers each with the next of `statuses`, the last with 204."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    found = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            found.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.statuses.pop(0) if found.statuses else 204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@pytest.fixture
def clerk(endpoint: Endpoint, tmp_path: Path) -> Iterator[httpx.Client]:
    command = [sys.executable, "-m", "clerk_emulator", "--port", "0", "--key-file", str(tmp_path / "clerk.pem")]
    environment = {**os.environ, "CLERK_WEBHOOK_SECRET": SECRET}
    process = subprocess.Popen(
        [*command, "--webhook-url", endpoint.url], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdout
    with httpx.Client(base_url=process.stdout.readline().split()[-1]) as client:
        yield client
    process.terminate()
    process.communicate(timeout=10)


def test_a_message_is_signed_and_tells_what_happened(clerk: httpx.Client, endpoint: Endpoint) -> None:
    answer = clerk.post("/webhooks", json={"kind": "organization.created", "organization_id": "org_north"}).json()
    ((headers, body),) = endpoint.heard
    assert answer == {"message_id": headers["svix-id"], "status": 204}
    content = b"%b.%b.%b" % (headers["svix-id"].encode(), headers["svix-timestamp"].encode(), body)
    signature = hmac.digest(b64decode("A" * 32), content, "sha256")
    assert headers["svix-signature"] == f"v1,{b64encode(signature).decode()}"
    told = json.loads(body)
    assert (told["object"], told["type"], told["data"]["id"]) == ("event", "organization.created", "org_north")


def test_a_message_can_be_told_again_under_its_id(clerk: httpx.Client, endpoint: Endpoint) -> None:
    endpoint.statuses.append(503)
    wanted = {"kind": "organization.deleted", "organization_id": "org_north"}
    first = clerk.post("/webhooks", json=wanted).json()
    again = clerk.post("/webhooks", json={**wanted, "message_id": first["message_id"]}).json()
    assert (first["status"], again["status"]) == (503, 204)
    assert len({headers["svix-id"] for headers, _ in endpoint.heard}) == 1


def test_without_an_endpoint_there_is_nobody_to_tell(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "clerk_emulator", "--port", "0", "--key-file", str(tmp_path / "clerk.pem")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        wanted = {"kind": "organization.deleted", "organization_id": "org_north"}
        assert httpx.post(f"{url}/webhooks", json=wanted).status_code == 404
        process.terminate()
