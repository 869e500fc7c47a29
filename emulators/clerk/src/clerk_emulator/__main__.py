"""`python -m clerk_emulator --port 7000 --key-file clerk.pem`"""

import os
import socket
import sys
from argparse import ArgumentParser
from pathlib import Path

import uvicorn

from clerk_emulator.app import Clerk
from clerk_emulator.keys import SigningKey
from clerk_emulator.webhooks import Webhooks


def main() -> None:
    """Serve until told to stop; exit code 2 when the port is taken."""
    arguments = ArgumentParser(prog="clerk_emulator")
    arguments.add_argument("--port", type=int, required=True, help="0 lets the system choose")
    arguments.add_argument("--host", default="127.0.0.1")
    arguments.add_argument("--key-file", type=Path, required=True, help="made when it does not exist")
    arguments.add_argument("--secret-key", help="opens the Backend API, closed to everybody without one")
    arguments.add_argument("--webhook-url", help="told what happens, signed with CLERK_WEBHOOK_SECRET")
    chosen = arguments.parse_args()
    listener = _listen(chosen.host, chosen.port)
    issuer = f"http://{chosen.host}:{listener.getsockname()[1]}"
    secret = os.environ.get("CLERK_WEBHOOK_SECRET")
    webhooks = Webhooks(chosen.webhook_url, secret) if chosen.webhook_url and secret else None
    app = Clerk(issuer, SigningKey(chosen.key_file), chosen.secret_key, webhooks).app()
    sys.stdout.write(f"Clerk emulator listening on {issuer}\n")
    sys.stdout.flush()
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        sys.stderr.write(f"clerk_emulator cannot listen on {host}:{port}: {error.strerror}\n")
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
