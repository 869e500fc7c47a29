"""From a request to its answer: counted, slowed, struck by faults, admitted, and served."""

import asyncio
import gzip
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial

from starlette.types import Receive, Scope, Send

from cliniko_emulator import api, connection
from cliniko_emulator.answers import Answer, RefusalError, bad_request, moved, no_such_route
from cliniko_emulator.call import Call
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.connection import HungUp
from cliniko_emulator.faults.faults import Faults
from cliniko_emulator.filters import QueryError
from cliniko_emulator.gate import Gate
from cliniko_emulator.requests import Requests
from cliniko_emulator.settings import Settings


@dataclass(frozen=True)
class Service:
    """The API as an ASGI application."""

    cliniko: Cliniko
    faults: Faults
    settings: Settings
    requests: Requests
    gate: Gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call.of(scope, receive, send)
        if call is None:
            return await self._send(no_such_route(), receive, send)
        self.requests.came(call)
        try:
            answer = await self._answer(call)
        except HungUp:
            return self.requests.answered(None)
        self.requests.answered(answer.status)
        return await self._send(answer, receive, send)

    async def _answer(self, call: Call) -> Answer:
        if self.settings.latency_ms:
            await asyncio.sleep(self.settings.latency_ms / 1000)
        answer = await self.faults.around(call, partial(self._serve, call))
        wanted = self.cliniko.switches.gzip and "gzip" in call.header(b"accept-encoding")
        if wanted and "Content-Encoding" not in answer.headers:
            answer.body = gzip.compress(answer.body, 1)
            answer.headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return answer

    async def _serve(self, call: Call) -> Answer:
        if call.shard is None:
            redirects = self.cliniko.switches.unsharded_host == "redirect"
            return moved(call.at_shard("au1")) if redirects else no_such_route()
        try:
            return api.respond(call, self.gate.admit(call), self.cliniko.switches)
        except RefusalError as refusal:
            return refusal.answer
        except QueryError as error:
            return bad_request(str(error))

    async def _send(self, answer: Answer, receive: Receive, send: Send) -> None:
        connection.hide_server(send)
        answer.headers |= {"Date": formatdate(self.cliniko.now(), usegmt=True), "Server": "nginx"}
        if answer.cut_after is None:
            return await answer({}, receive, send)
        await answer.start(send)
        await send({"type": "http.response.body", "body": answer.body[: answer.cut_after], "more_body": True})
        return await connection.close(receive, send)
