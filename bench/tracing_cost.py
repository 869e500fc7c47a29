"""`make bench-tracing`: what traces cost a request in a service, off, on and not recorded, and recorded.

A route that does nothing, in FastAPI and behind the middleware of every service, is called as uvicorn would call it,
without a socket: each kind in a process of its own, in turns. Off is the baseline. A collector takes what is exported.
"""

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import IO, Any, cast

from fastapi import FastAPI
from rich.console import Console
from rich.progress import track
from rich.table import Table

from chassis import logs, tracing
from chassis.observed import Observed

ROUNDS, REQUESTS = 7, 2_000
OFF, UNRECORDED, RECORDED = "off", "on, not recorded", "on, recorded"
TRACE = {UNRECORDED: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}
TRACE[RECORDED] = TRACE[UNRECORDED][:-1] + "1"


class Collector(BaseHTTPRequestHandler):
    """Takes everything and keeps nothing."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@contextmanager
def collecting() -> Iterator[str]:
    """The address to export to."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def serve(kind: str, endpoint: str) -> None:
    """A round of requests for each line on standard input, and its microseconds a request on standard error."""
    logs.configure("bench", "INFO")
    tracing.start("bench", None if kind == OFF else endpoint, 1.0)
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})
    app.add_middleware(Observed)

    @app.get("/api/v1/nothing/{organization_id}")
    async def nothing(organization_id: str) -> dict[str, str]:
        with tracing.span("work", organization_id=organization_id):
            return {**tracing.headers()}

    trace = [(b"traceparent", TRACE[kind].encode())] if kind in TRACE else []
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
    }
    scope |= {"path": "/api/v1/nothing/org_a", "raw_path": b"", "query_string": b"", "root_path": "", "headers": trace}

    async def receive() -> dict[str, str]:
        return {"type": "http.request"}

    async def send(_message: object) -> None:
        return None

    while await asyncio.to_thread(sys.stdin.readline):
        began = time.perf_counter()
        for _ in range(REQUESTS):
            await app({**scope, "state": {}}, receive, send)
        sys.stderr.write(f"{(time.perf_counter() - began) / REQUESTS * 1e6}\n")
        sys.stderr.flush()
    await tracing.stop()


def ask(server: subprocess.Popen[str]) -> float:
    """A round of one of the servers."""
    requests, answers = cast("IO[str]", server.stdin), cast("IO[str]", server.stderr)
    requests.write("go\n")
    requests.flush()
    return float(answers.readline())


def main() -> None:
    """Print the medians."""
    with collecting() as endpoint:
        servers = {
            kind: subprocess.Popen(
                [sys.executable, __file__, kind, endpoint],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for kind in (OFF, UNRECORDED, RECORDED)
        }
        for server in servers.values():
            ask(server)  # warm-up
        rounds = [
            {kind: ask(server) for kind, server in servers.items()}
            for _ in track(range(ROUNDS), "Measuring", transient=True)
        ]
        for server in servers.values():
            server.communicate()
    table = Table("traces", "µs a request", "more than off")
    for kind in servers:
        more = median(one[kind] - one[OFF] for one in rounds)
        table.add_row(kind, f"{median(one[kind] for one in rounds):.0f}", "" if kind == OFF else f"{more:+.0f} µs")
    Console().print(table)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        asyncio.run(serve(*sys.argv[1:]))
    else:
        main()
