"""`python -m admin verify-audit [ORG]`: a JSON line a page, for `routiq audit verify`."""

import json
import sys
from collections.abc import Sequence
from typing import Any

from admin import handlers
from admin.domain.audit import Head
from admin.domain.verification import EXPLANATIONS, Break
from chassis.database import Database

WHOLE, BROKEN, NOTHING = 0, 1, 2


async def run(arguments: Sequence[str], database: Database) -> int:
    """The exit status: 1 when a chain is broken, 2 when there is none."""
    organization_id = arguments[0] if arguments else None
    _say(total=await handlers.count(database, organization_id))
    checked, whole, broken = 0, 0, 0
    async for step in handlers.verify(database, organization_id):
        checked += step.checked
        match step.verdict:
            case Break() as found:
                broken += 1
                _say(organization_id=found.organization_id, broken=found.position, why=EXPLANATIONS[found.fault])
            case Head() as head:
                whole += 1
                _say(organization_id=step.organization_id, head=head.position, hash=head.hash.hex())
            case None:
                _say(checked=checked)
    return BROKEN if broken else WHOLE if whole or organization_id is None else NOTHING


def _say(**facts: Any) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()
