"""What admin does."""

from admin.handlers.auditing import (
    Found,
    chain_for_refusal,
    look_up,
    record_act,
    record_connection_change,
    record_erasures,
    record_reads,
    record_refusal,
    record_removed_logs,
    record_run_change,
    record_schedule_change,
)
from admin.handlers.cleanup import Cleaned, clean_up
from admin.handlers.clerk import organization_created, organization_deleted, organization_updated
from admin.handlers.dead_letters import Opening, find, follow, look_into, settle_redrive, survey
from admin.handlers.dead_letters_sent import drop, redrive
from admin.handlers.organizations import examine_platform, record_connection, record_figures, record_run
from admin.handlers.verification import Step, count, verify

__all__ = [
    "Cleaned",
    "Found",
    "Opening",
    "Step",
    "chain_for_refusal",
    "clean_up",
    "count",
    "drop",
    "examine_platform",
    "find",
    "follow",
    "look_into",
    "look_up",
    "organization_created",
    "organization_deleted",
    "organization_updated",
    "record_act",
    "record_connection",
    "record_connection_change",
    "record_erasures",
    "record_figures",
    "record_reads",
    "record_refusal",
    "record_removed_logs",
    "record_run",
    "record_run_change",
    "record_schedule_change",
    "redrive",
    "settle_redrive",
    "survey",
    "verify",
]
