"""What stands before the gateway when a browser calls: pages of some origin, and a replica that knows the origin."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
from tests.conftest import System

from routiq.ports import free_port

PATIENCE_SECONDS = 30


@contextmanager
def serving(files: Mapping[str, str]) -> Iterator[str]:
    """The origin at which these files are served, by path; any other path is an empty page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is the library's
            self.send_response(200)
            kind = "javascript" if self.path.endswith(".js") else "html"
            self.send_header("content-type", f"text/{kind}; charset=utf-8")
            self.end_headers()
            self.wfile.write(files.get(self.path, "<!doctype html><title>-</title>").encode())

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def replica(system: System, **changes: str) -> Iterator[str]:
    """The address of one more gateway of this system, told what the first was told, and `changes`."""
    first = Path(f"/proc/{system.process('gateway')['pid']['number']}/environ").read_bytes().decode()
    environment = dict(line.split("=", 1) for line in first.split("\0") if line)
    port = str(free_port())
    command = [sys.executable, "-m", "gateway"]
    process = subprocess.Popen(command, env={**environment, "PORT": port, **changes}, stdout=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _until_it_knows_clerks_keys(address)
        yield address
    finally:
        process.kill()
        process.wait()


def _until_it_knows_clerks_keys(address: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health/ready").json()["checks"]["jwks"]:
                return
        except httpx.TransportError:
            pass  # it does not listen yet
        time.sleep(0.1)
    raise AssertionError("the replica does not get ready")


@contextmanager
def gibberish() -> Iterator[str]:
    """The address of a server that answers what is no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        Thread(target=_answer_gibberish, args=[listening], daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)


def _answer_gibberish(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:  # shut down
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"gibberish\r\n\r\n")


@contextmanager
def silence() -> Iterator[str]:
    """The address of a server that takes every connection and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
