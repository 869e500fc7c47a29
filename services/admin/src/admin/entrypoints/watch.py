"""The chains are gone along all the time, so that Prometheus knows whether they are whole.

Every replica does it, and finds the same: take the maximum, not the sum.
"""

import asyncio
import time
from contextlib import suppress

import structlog
from prometheus_client import REGISTRY, Gauge

from admin import handlers
from admin.domain.audit import Head
from admin.domain.verification import EXPLANATIONS, Break
from chassis.database import Database
from chassis.metrics import turned

log = structlog.get_logger()

BROKEN = Gauge("routiq_audit_broken_chains", "Organizations whose audit chain is broken.", registry=None)
"""Not there before something is known: 0 after a start would say that all is well."""
VERIFIED = Gauge("routiq_audit_verified_seconds", "Unix time when all audit chains had last been gone along.")

REST_SECONDS = 300.0
"""Between two walks along all chains."""
IDLE = 4.0
"""Seconds of rest for each second of work within a walk, which may be long."""


async def keep_watch(database: Database) -> None:
    """Walk, rest, walk again."""
    known, seen = 0, dict[str, Head]()
    while True:
        known = await walk(database, seen, known)
        await asyncio.sleep(REST_SECONDS)


async def walk(database: Database, seen: dict[str, Head], known: int = 0) -> int:
    """Once along all chains, of which so many were broken before. A break is told as it is found.

    Each head is remembered in `seen` and in the log, where nobody changes it who changes the database.
    """
    broken, began = 0, time.perf_counter()
    async for step in handlers.verify(database, seen=seen):
        if isinstance(step.verdict, Break):
            log.error(
                "audit chain broken", organization_id=step.organization_id, reason=EXPLANATIONS[step.verdict.fault]
            )
            broken += 1
            known = max(known, broken)
            _show(known)
        elif step.verdict and seen.get(step.organization_id) != step.verdict:
            seen[step.organization_id] = head = step.verdict
            log.info(
                "audit chain whole", organization_id=step.organization_id, position=head.position, hash=head.hash.hex()
            )
        turned("watch", REST_SECONDS)
        await asyncio.sleep(IDLE * (time.perf_counter() - began))
        began = time.perf_counter()
    _show(broken)
    VERIFIED.set_to_current_time()
    turned("watch", REST_SECONDS)
    return broken


def _show(broken: int) -> None:
    BROKEN.set(broken)
    with suppress(ValueError):  # it is there already
        REGISTRY.register(BROKEN)
