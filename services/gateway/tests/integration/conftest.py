"""A real gateway in front of a real Clerk emulator and small real services."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import uvicorn
from services.gateway.tests.stores import Server, StartServer
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from chassis.identity import HEADER, verify
from gateway.main import server
from gateway.settings import Settings

IDENTITY_KEY = "k" * 32
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]
PIECE = b"x" * 65536

StartGateway = Callable[..., Awaitable[httpx.AsyncClient]]
"""`await start_gateway(setting=value, …)`: a client of a new gateway that is ready."""
Serving = Callable[[ASGIApp], Awaitable[str]]
"""`await serving(app)`: the address of a real server with `app`, until the test ends."""


@dataclass(frozen=True)
class Clerk:
    """The emulator in its own process, and the key it signs with, for tokens it would never issue."""

    issuer: str
    key_file: Path
    secret_key = "sk_test_emulated"

    def token(self, **session: Any) -> str:
        wanted = {"org": "org_north", **session}
        return str(httpx.post(f"{self.issuer}/tokens", json=wanted).raise_for_status().json()["token"])

    def bearer(self, **session: Any) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(**session)}"}

    def jwk(self) -> dict[str, str]:
        """The public key as everybody can read it."""
        keys = httpx.get(f"{self.issuer}/.well-known/jwks.json").json()["keys"]
        return dict(keys[0])

    def set_memberships(self, user: str, roles: Mapping[str, str]) -> None:
        httpx.put(f"{self.issuer}/memberships/{user}", json=dict(roles)).raise_for_status()

    def rotate(self) -> None:
        httpx.post(f"{self.issuer}/rotate").raise_for_status()

    def forged(self, key: Any = None, algorithm: str = "RS256", kid: str | None = None, **claims: Any) -> str:
        """A token with these claims changed (None removes one), signed with the real key unless another is given."""
        genuine = self.token()
        payload = jwt.decode(genuine, options={"verify_signature": False}) | claims
        payload = {name: value for name, value in payload.items() if value is not None}
        headers = {"kid": kid or jwt.get_unverified_header(genuine)["kid"]}
        return jwt.encode(payload, self.key_file.read_bytes() if key is None else key, algorithm, headers)


@contextmanager
def _clerk(directory: Path) -> Iterator[Clerk]:
    key_file = directory / "clerk.pem"
    command = [sys.executable, "-m", "clerk_emulator", "--port", "0", "--key-file", str(key_file)]
    command += ["--secret-key", Clerk.secret_key]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    yield Clerk(process.stdout.readline().split()[-1], key_file)
    process.terminate()
    process.communicate(timeout=10)


@pytest.fixture(scope="session")
def clerk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clerk]:
    with _clerk(tmp_path_factory.mktemp("clerk")) as emulator:
        yield emulator


@pytest.fixture
def own_clerk(tmp_path: Path) -> Iterator[Clerk]:
    """An emulator of the test's own, whose key it may rotate."""
    with _clerk(tmp_path) as emulator:
        yield emulator


class PlainService:
    """A service that believes the gateway only, and answers with what it was asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset()

    def reset(self) -> None:
        self.is_ready, self.checks = True, {"database": True}
        self.described: dict[str, Any] | None = {"openapi": "3.1.0", "paths": {}}
        self.heard: list[tuple[dict[str, str], bytes]] = []  # headers and bodies of what Clerk told
        self.produced = 0
        """Bytes of the last stream that somebody took."""
        self.disconnected = asyncio.Event()
        self.may_read = asyncio.Event()
        self.may_read.set()
        self.may_send = asyncio.Semaphore(0)

    def app(self) -> ASGIApp:
        return Starlette(
            routes=[
                Route("/health/ready", self._ready),
                Route("/openapi.json", self._describe),
                Route("/api/v1/webhooks/clerk", self._hear, methods=METHODS),
                Route("/{path:path}", self._answer, methods=METHODS),
            ]
        )

    async def _ready(self, _request: Request) -> Response:
        status = "ready" if self.is_ready else "not ready"
        return JSONResponse({"status": status, "checks": self.checks}, 200 if self.is_ready else 503)

    async def _hear(self, request: Request) -> Response:
        self.heard.append((dict(request.headers), await request.body()))
        return Response(status_code=204)

    async def _describe(self, _request: Request) -> Response:
        return JSONResponse(self.described, 503 if self.described is None else 200)

    async def _answer(self, request: Request) -> Response:
        header, request_id = request.headers.get(HEADER, ""), request.headers["x-request-id"]
        caller = verify(header, self.name, IDENTITY_KEY.encode(), time.time(), request_id)
        behaviour = request.query_params.get("do")
        if behaviour:
            answer: Response = await getattr(self, f"_{behaviour}")(request)
            return answer
        return JSONResponse(
            {
                "service": self.name,
                "method": request.method,
                "path": request.scope["raw_path"].decode(),
                "query": request.scope["query_string"].decode(),
                "headers": dict(request.headers),
                "caller": asdict(caller),
                "body_bytes": len(await request.body()),
            },
            headers={"X-Routiq-Inner": "1", "ETag": '"1"'},
        )

    async def _stream(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(int(request.query_params["pieces"])):
                yield PIECE
                self.produced += len(PIECE)
                await asyncio.sleep(0)

        return StreamingResponse(pieces())

    async def _trickle(self, _request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            try:
                yield b"first"
                await asyncio.sleep(60)
            finally:
                self.disconnected.set()

        return StreamingResponse(pieces())

    async def _events(self, _request: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            for n in range(3):
                await self.may_send.acquire()
                yield b"data: %d\n\n" % n

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _hang(self, _request: Request) -> Response:
        await asyncio.sleep(60)
        return Response()

    async def _nothing(self, _request: Request) -> Response:
        return Response(status_code=204)

    async def _deny(self, _request: Request) -> Response:
        return JSONResponse({"detail": "Only an administrator of the organization may do this."}, 403)

    async def _unchanged(self, _request: Request) -> Response:
        return Response(status_code=304, headers={"ETag": '"1"'})

    async def _count(self, request: Request) -> Response:
        await self.may_read.wait()
        seen = 0
        with suppress(ClientDisconnect):  # the gateway gives a body up that is too large
            async for piece in request.stream():
                seen += len(piece)
        return JSONResponse({"body_bytes": seen})


@asynccontextmanager
async def _running(server: uvicorn.Server) -> AsyncIterator[str]:
    server.config.timeout_graceful_shutdown = 1
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running


@pytest.fixture(scope="session")
async def serving() -> AsyncIterator[Serving]:
    async with AsyncExitStack() as servers:

        async def start(app: ASGIApp) -> str:
            config = uvicorn.Config(app, port=0, log_config=None, access_log=False, server_header=False, ws="none")
            return await servers.enter_async_context(_running(uvicorn.Server(config)))

        yield start


@pytest.fixture(scope="session")
async def service_urls(serving: Serving) -> Mapping[str, tuple[PlainService, str]]:
    """The four services and their addresses; `services` makes them new for each test."""
    started = {}
    for name in ("patients", "sync", "analytics", "admin"):
        service = PlainService(name)
        started[name] = service, await serving(service.app())
    return started


@pytest.fixture
def services(service_urls: Mapping[str, tuple[PlainService, str]]) -> Mapping[str, PlainService]:
    found = {name: service for name, (service, _url) in service_urls.items()}
    for service in found.values():
        service.reset()
    found["sync"].checks["encryption"] = True
    return found


@pytest.fixture
async def start_gateway(
    clerk: Clerk, services: Mapping[str, PlainService], service_urls: Mapping[str, tuple[PlainService, str]]
) -> AsyncIterator[StartGateway]:
    assert services  # made new
    urls = {f"{name}_url": url for name, (_service, url) in service_urls.items()}
    async with AsyncExitStack() as running:

        async def start(**given: Any) -> httpx.AsyncClient:
            settings = {
                "port": 0,
                "identity_key": IDENTITY_KEY,
                "clerk_issuer": clerk.issuer,
                "platform_organization_id": "org_platform",
                "allowed_origins": ("https://app.example",),
                **urls,
                **given,
            }
            address = await running.enter_async_context(_running(server(Settings(**settings))))
            client = await running.enter_async_context(httpx.AsyncClient(base_url=address, timeout=20))
            if not given.keys() & {*urls, "clerk_jwks_url"}:
                await _ready(client)
            return client

        yield start


async def _ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(10):
        while (await client.get("/health/ready")).status_code != 200:
            await asyncio.sleep(0.02)


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> httpx.AsyncClient:
    return await start_gateway()


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    if not shutil.which("redis-server"):
        assert os.environ.get("ROUTIQ_REQUIRE_REDIS") != "1", "redis-server is required, and not installed"
        pytest.skip("redis-server is not installed")
    with ExitStack() as running:

        def start(*options: str) -> Server:
            server = Server(*options)
            server.start()
            running.callback(server.kill)
            return server

        yield start
