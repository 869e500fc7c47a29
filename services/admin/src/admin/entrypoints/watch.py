"""The chains are gone along all the time, so that Prometheus knows whether they are whole.

Every replica does it, and finds the same: take the maximum, not the sum.
"""

import asyncio
import time

import structlog
from prometheus_client import Gauge

from admin import handlers
from admin.domain.verification import EXPLANATIONS, Break
from chassis.database import Database
from chassis.metrics import turned

log = structlog.get_logger()

BROKEN = Gauge("routiq_audit_broken_chains", "Organizations whose audit chain is broken.")
VERIFIED = Gauge("routiq_audit_verified_seconds", "Unix time when all audit chains had last been gone along.")

REST_SECONDS = 300.0
"""Between two walks along all chains."""
IDLE = 4.0
"""Seconds of rest for each second of work within a walk, which may be long."""


async def keep_watch(database: Database) -> None:
    """Walk, rest, walk again."""
    known = 0
    while True:
        known = await walk(database, known)
        await asyncio.sleep(REST_SECONDS)


async def walk(database: Database, known: int = 0) -> int:
    """Once along all chains, of which so many were broken before. A break is told as it is found."""
    broken, began = 0, time.perf_counter()
    async for step in handlers.verify(database):
        if isinstance(step.verdict, Break):
            log.error(
                "audit chain broken", organization_id=step.organization_id, reason=EXPLANATIONS[step.verdict.fault]
            )
            broken += 1
            known = max(known, broken)
            BROKEN.set(known)
        turned("watch", REST_SECONDS)
        await asyncio.sleep(IDLE * (time.perf_counter() - began))
        began = time.perf_counter()
    BROKEN.set(broken)
    VERIFIED.set_to_current_time()
    turned("watch", REST_SECONDS)
    return broken
