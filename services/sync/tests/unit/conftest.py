"""A server that answers as a test scripts it: also in ways that no HTTP framework would."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

HANG, RESET = b"hang", b"reset"


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]

    @property
    def number(self) -> int:
        return int(self.query["page"][0])

    @property
    def size(self) -> int:
        return int(self.query["per_page"][0])


@dataclass
class Scripted:
    """`answers` makes the bytes of each answer; everything that was asked is kept in `asked`."""

    template: str = ""
    answers: Callable[[Asked], bytes] = lambda _asked: says(500)
    asked: list[Asked] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        url = urlsplit(lines[0].split(" ")[1])
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if line)}
        asked = Asked(url.path, parse_qs(url.query), headers)
        self.asked.append(asked)
        answer = self.answers(asked)
        if answer == HANG:
            await reader.read()
        elif answer != RESET:
            writer.write(answer)
            await writer.drain()
        writer.transport.abort() if answer == RESET else writer.close()


def says(status: int, content: Any = b"", **headers: str) -> bytes:
    """An answer; what is not bytes goes as JSON. Header names are written with `_` for `-`."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    given = {"content-length": str(len(body)), "connection": "close"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture
def answer() -> Callable[..., bytes]:
    """Makes an answer: `answer(429, b"text or json", retry_after="7")`."""
    return says


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    cliniko = Scripted()
    server = await asyncio.start_server(cliniko.serve, "127.0.0.1", 0)
    cliniko.template = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/{{shard}}/v1"
    async with server:
        yield cliniko
