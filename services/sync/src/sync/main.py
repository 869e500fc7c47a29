"""Puts the sync service together."""

import asyncio
import sys
from uuid import uuid4

from chassis.database import Database
from chassis.service import assemble, serve
from sync.adapters.accounts import Accounts
from sync.adapters.ledger import SharedLedger
from sync.adapters.vault import Vault
from sync.entrypoints import replay
from sync.entrypoints.consumers import consumers
from sync.entrypoints.http import router
from sync.entrypoints.worker import Worker
from sync.settings import Settings


def main() -> None:
    """Read the settings, assemble, serve; `replay` as the first argument says everything of a clinic again."""
    settings = Settings.load()
    if sys.argv[1:2] == ["replay"]:
        sys.stdout.write(asyncio.run(_replay(settings)) + "\n")
        return
    counting = Database(settings.database_url.get_secret_value(), consumers.service, connections=2)
    ledger, limit = SharedLedger(counting), settings.cliniko_requests_per_minute
    accounts = Accounts(settings.cliniko_api_url, settings.cliniko_contact, ledger, limit)
    vault = Vault(settings.credentials_keys.get_secret_value())
    worker_id = uuid4()
    app = assemble(
        settings,
        consumers,
        router,
        work={"worker": lambda database: Worker(worker_id, database, accounts, vault).work()},
        checks={"encryption": vault.works},
        closing=[accounts.close, counting.close],
    )
    app.state.accounts, app.state.vault = accounts, vault
    serve(app, settings)


async def _replay(settings: Settings) -> str:
    database = Database(settings.database_url.get_secret_value(), "sync", connections=2)
    try:
        return await replay.run(sys.argv[2:], database)
    finally:
        await database.close()
