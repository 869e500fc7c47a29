"""What admin does."""

from admin.handlers.auditing import (
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
from admin.handlers.organizations import examine_platform, record_connection, record_figures, record_run
from admin.handlers.verification import Step, count, verify

__all__ = [
    "Cleaned",
    "Step",
    "chain_for_refusal",
    "clean_up",
    "count",
    "examine_platform",
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
    "verify",
]
