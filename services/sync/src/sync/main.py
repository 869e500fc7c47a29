"""Puts the sync service together."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import uuid4

from chassis.database import Database
from chassis.outages import is_outage
from chassis.service import assemble, serve
from sync.adapters.accounts import Accounts
from sync.adapters.ledger import SharedLedger
from sync.adapters.vault import Vault
from sync.entrypoints import replay
from sync.entrypoints.consumers import consumers
from sync.entrypoints.http import router
from sync.entrypoints.http.stream import Streams
from sync.entrypoints.rotation import rotate
from sync.entrypoints.scheduler import Scheduler
from sync.entrypoints.worker import Worker
from sync.settings import Settings

T = TypeVar("T")


def main() -> None:
    """`python -m sync` serves; `rotate-keys` seals every API key anew, `replay ORG` says all of a clinic again."""
    settings = Settings.load()
    vault = _vault(settings)
    match sys.argv[1:]:
        case ["rotate-keys"]:
            sys.exit(asyncio.run(_on_the_database(settings, lambda database: rotate(database, vault))))
        case ["replay", *arguments]:
            said = asyncio.run(_on_the_database(settings, lambda database: replay.run(arguments, database)))
            sys.stdout.write(said + "\n")
        case _:
            _serve(settings, vault)


def _serve(settings: Settings, vault: Vault) -> None:
    counting = Database(settings.database_url.get_secret_value(), consumers.service, connections=2)
    ledger, limit = SharedLedger(counting), settings.cliniko_requests_per_minute
    accounts = Accounts(settings.cliniko_api_url, settings.cliniko_contact, ledger, limit)
    replica = uuid4()
    app = assemble(
        settings,
        consumers,
        router,
        work={
            "worker": lambda database: Worker(replica, database, accounts, vault).work(),
            "scheduler": lambda database: Scheduler(
                replica, database, vault.key_ids, enabled=settings.schedule_enabled
            ).work(),
        },
        checks={"encryption": vault.works},
        closing=[accounts.close, counting.close],
    )
    app.state.accounts, app.state.vault, app.state.streams = accounts, vault, Streams()
    app.state.cliniko_api_url = settings.cliniko_api_url
    serve(app, settings)


def _vault(settings: Settings) -> Vault:
    try:
        return Vault(settings.credentials_keys.get_secret_value())
    except ValueError as error:
        sys.exit(f"setting CREDENTIALS_KEYS: {error}")


async def _on_the_database(settings: Settings, work: Callable[[Database], Awaitable[T]]) -> T:
    database = Database(settings.database_url.get_secret_value(), consumers.service, connections=2)
    try:
        return await work(database)
    except Exception as error:
        if not is_outage(error):
            raise
        sys.exit("The database cannot be reached. What is done stays done; try again.")
    finally:
        await database.close()
