"""The admin service, put together."""

import asyncio
import sys

from fastapi import APIRouter, FastAPI

from admin.entrypoints import dead_letters, verification, webhooks
from admin.entrypoints.consumers import consumers
from admin.entrypoints.http import router
from admin.entrypoints.watch import keep_watch
from admin.settings import Settings
from chassis.database import Database
from chassis.outages import is_outage
from chassis.service import assemble, serve


def main() -> None:
    """`python -m admin` serves until told to stop; `verify-audit [ORG]` goes along the audit chains."""
    settings = Settings.load()
    match sys.argv[1:]:
        case ["verify-audit", *organizations]:
            sys.exit(asyncio.run(_verify(organizations, settings)))
        case _:
            serve(made_of(settings), settings)


def made_of(settings: Settings) -> FastAPI:
    """The service as it serves."""
    routes = APIRouter()
    for part in (router, dead_letters.router, webhooks.router):
        routes.include_router(part)
    app = assemble(settings, consumers, routes, work={"watch": keep_watch})
    app.state.audit_years, app.state.webhook_secrets = settings.audit_years, settings.webhook_secrets
    app.state.amqp_url = settings.amqp_url.get_secret_value()
    return app


async def _verify(organizations: list[str], settings: Settings) -> int:
    database = Database(settings.database_url.get_secret_value(), consumers.service, connections=2)
    try:
        return await verification.run(organizations, database)
    except Exception as error:
        if not is_outage(error):
            raise
        sys.exit("The database cannot be reached. Try again.")
    finally:
        await database.close()
