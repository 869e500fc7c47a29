"""`python -m rabbitmq_emulator`: the development broker as a process of its own."""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import uvloop

from rabbitmq_emulator.handshake import Credentials
from rabbitmq_emulator.server import JournalUnusableError, listening

EXIT_CANNOT_START = 2
LOGIN_VARIABLE = "RABBITMQ_EMULATOR_PASSWORD"
"""Where it stands in the environment: everybody on a machine may read a command line."""


def main() -> int:
    options = _options()
    try:
        uvloop.run(_serve(options))
    except (OSError, JournalUnusableError) as error:
        sys.stderr.write(f"rabbitmq_emulator: {_reason(error, options)}\n")
        return EXIT_CANNOT_START
    return 0


async def _serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    credentials = Credentials(options.user, os.environ.get(LOGIN_VARIABLE, "guest"))
    async with listening(credentials, options.host, options.port, options.journal) as port:
        kept = f"journal {options.journal}" if options.journal else "in memory only"
        sys.stdout.write(f"RabbitMQ emulator, a development broker, on amqp://{options.host}:{port} ({kept})\n")
        sys.stdout.flush()
        await stop.wait()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rabbitmq_emulator", description="A development AMQP 0-9-1 broker.")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free one and prints it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--journal", type=Path, metavar="FILE", help="what is durable survives this process in FILE")
    parser.add_argument("--user", default="guest")
    return parser.parse_args()


def _reason(error: Exception, options: argparse.Namespace) -> str:
    if isinstance(error, OSError) and error.errno:
        return f"cannot listen on {options.host}:{options.port}: {os.strerror(error.errno)}"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
