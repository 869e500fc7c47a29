"""The gateway and the Clerk emulator, as the commands use them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from routiq.failures import ReportedError
from routiq.state import Record

Answer = dict[str, Any]

TOKEN_SECONDS = 3600
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PAUSE_GROWTH = 0.4, 12.0, 1.15
ATTEMPTS, RETRY_SECONDS = 6, 2.0
FINISHED = ("completed", "failed", "cancelled")


async def issue_token(record: Record, organization: str, role: str) -> str:
    """A session token of the emulator of Clerk, valid for an hour."""
    if record.clerk_url is None:
        raise ReportedError("CLERK_ISSUER is set, so tokens come from there: sign in to your own Clerk for one.")
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        body = {"org": organization, "role": role, "expires_in": TOKEN_SECONDS}
        try:
            response = await http.post(f"{record.clerk_url}/tokens", json=body)
        except httpx.HTTPError as error:
            raise ReportedError(f"The Clerk emulator at {record.clerk_url} does not answer: {error}") from error
    if not response.is_success:
        raise ReportedError(f"The Clerk emulator refused the token: {response.text}")
    token: str = response.json()["token"]
    return token


class Gateway:
    """Acts for one organization."""

    def __init__(self, http: httpx.AsyncClient, organization: str) -> None:
        self._http = http
        self._organization = organization

    @classmethod
    @asynccontextmanager
    async def open(cls, record: Record, organization: str, role: str = "admin") -> AsyncIterator["Gateway"]:
        token = await issue_token(record, organization, role)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=record.gateway_url, headers=headers, trust_env=False, timeout=60) as http:
            yield cls(http, organization)

    async def connect(self, api_key: str) -> None:
        await self.call("PUT", f"/api/v1/cliniko/connection/{self._organization}", json={"api_key": api_key})

    async def start_sync(self, mode: str) -> str:
        """The id of the run: a new one, or the one already under way."""
        answer = await self.call("POST", f"/api/v1/cliniko/sync/{self._organization}", params={"mode": mode})
        sync_id: str = answer["sync_id"]
        return sync_id

    async def progress(self, sync_id: str) -> AsyncIterator[Answer]:
        """Each look at the run until it has finished, ever less often: the sync tier allows 100 in 15 minutes."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            seen = await self.call("GET", f"/api/v1/sync/progress/{sync_id}")
            yield seen
            if seen["status"] in FINISHED:
                return
            await asyncio.sleep(pause)
            pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE_SECONDS)

    async def dashboard(self) -> Answer:
        return await self.call("GET", f"/api/v1/dashboard/{self._organization}")

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        """The JSON of a success; waits when the limit of requests is reached. Raises ReportedError with the reason."""
        for _ in range(ATTEMPTS):
            response = await self._send(method, path, **options)
            if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
                await asyncio.sleep(float(response.headers.get("Retry-After", LONGEST_PAUSE_SECONDS)))
            elif response.is_server_error and method == "GET":  # a part of the system may be starting again
                await asyncio.sleep(RETRY_SECONDS)
            else:
                break
        if not response.is_success:
            raise ReportedError(f"{method} {path} answered {response.status_code}: {_reason(response)}")
        answer: Answer = response.json()
        return answer

    async def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            return await self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise ReportedError(f"{method} {path} failed: {type(error).__name__} {error}") from error


def _reason(response: httpx.Response) -> str:
    try:
        answer = response.json()
        return f"{answer['error']}: {answer['detail']}"
    except (ValueError, LookupError, TypeError):
        return response.text[:200]
