"""`python -m cliniko_emulator --port N`: serve synthetic clinics until told to stop."""

import argparse
import errno
import gc
import signal
import socket
import sys
from collections.abc import Sequence

import uvicorn

from cliniko_emulator.accounts import DEFAULT_ACCOUNTS, Account, parse_account
from cliniko_emulator.app import create_app

_SECONDS_TO_FINISH = 2


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    _stop_on_signals()
    with _listen(options.host, options.port) as listener:
        accounts: Sequence[Account] = options.account or DEFAULT_ACCOUNTS
        app = create_app(accounts, rate_limit=options.rate_limit, latency_ms=options.latency_ms)
        # The clinics stay for good: the collector need not look at a million records again and again.
        gc.freeze()
        keys = ", ".join(account.key for account in accounts)
        host, port = listener.getsockname()[:2]
        sys.stdout.write(f"Cliniko emulator listening on http://{host}:{port} for {keys}\n")
        sys.stdout.flush()
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=_SECONDS_TO_FINISH
        )
        uvicorn.Server(config).run(sockets=[listener])


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m cliniko_emulator", description="A synthetic Cliniko over HTTP.")
    parser.add_argument("--port", type=_port, required=True, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--account",
        type=_account,
        nargs="+",
        action="extend",
        metavar="KEY=SEED:PATIENTS[:APPOINTMENTS]",
        help="default: two demos",
    )
    parser.add_argument("--rate-limit", type=int, default=200, help="requests a minute for each key")
    parser.add_argument("--latency-ms", type=int, default=0, help="wait this long before every answer")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to 65535")
    return int(text)


def _account(text: str) -> Account:
    try:
        return parse_account(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _listen(host: str, port: int) -> socket.socket:
    """Bound before the clinics are made, so that a taken port is told at once."""
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        reason = "is already in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        sys.stderr.write(f"cliniko_emulator: port {port} on {host} {reason}\n")
        raise SystemExit(2) from error


def _stop_on_signals() -> None:
    """uvicorn finishes open requests and then raises the signal again; it ends the process with success."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))


if __name__ == "__main__":
    main()
