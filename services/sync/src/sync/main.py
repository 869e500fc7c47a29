"""Puts the sync service together."""

import asyncio
import sys
from uuid import uuid4

from chassis.database import Database, is_outage
from chassis.service import assemble, serve
from sync.adapters.accounts import Accounts
from sync.adapters.vault import Vault
from sync.entrypoints.consumers import consumers
from sync.entrypoints.http import router
from sync.entrypoints.http.stream import Streams
from sync.entrypoints.rotation import rotate
from sync.entrypoints.scheduler import Scheduler
from sync.entrypoints.worker import Worker
from sync.settings import Settings


def main() -> None:
    """`python -m sync` serves, `python -m sync rotate-keys` seals every API key with the newest key."""
    settings = Settings.load()
    vault = _vault(settings)
    if sys.argv[1:] == ["rotate-keys"]:
        sys.exit(asyncio.run(_rotate(settings, vault)))
    accounts = Accounts(settings.cliniko_api_url, settings.cliniko_contact)
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
        closing=[accounts.close],
    )
    app.state.accounts, app.state.vault, app.state.streams = accounts, vault, Streams()
    app.state.cliniko_api_url = settings.cliniko_api_url
    serve(app, settings)


def _vault(settings: Settings) -> Vault:
    try:
        return Vault(settings.credentials_keys.get_secret_value())
    except ValueError as error:
        sys.exit(f"setting CREDENTIALS_KEYS: {error}")


async def _rotate(settings: Settings, vault: Vault) -> int:
    database = Database(settings.database_url.get_secret_value(), "sync", connections=2)
    try:
        return await rotate(database, vault)
    except Exception as error:
        if not is_outage(error):
            raise
        sys.exit("The database cannot be reached; what is sealed anew stays so. Try again.")
    finally:
        await database.close()
