"""`python -m sync replay ORG [--to patients|analytics]`: run where the service runs, against its own schema.

The events wait in the outbox for the service's relay. Saying everything twice changes nothing, so a replay that was
interrupted is simply started again.
"""

import argparse
from collections.abc import Sequence

from chassis.database import Database
from contracts.events import PatientsSynced
from contracts.routes import confirmed_by
from sync.entrypoints.transactions import transactions_of
from sync.handlers.replay import replay


async def run(arguments: Sequence[str], database: Database) -> str:
    """Do what the command line says. Returns what to tell the person."""
    parser = argparse.ArgumentParser(prog="python -m sync replay")
    parser.add_argument("organization", metavar="ORG")
    parser.add_argument("--to", choices=confirmed_by(PatientsSynced), help="only to this service")
    asked = parser.parse_args(arguments)
    records = await replay(asked.organization, asked.to, transactions_of(database))
    return f"{records} records are on their way to {asked.to or 'every service'}."
