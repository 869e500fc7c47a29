"""What the sync service does: one function a use case."""

from sync.handlers.connect import check_key, disconnect, judge, store_key
from sync.handlers.runs import close_when_applied, confirm_batches, fail, report_progress, start_sync, stop_waiting

__all__ = [
    "check_key",
    "close_when_applied",
    "confirm_batches",
    "disconnect",
    "fail",
    "judge",
    "report_progress",
    "start_sync",
    "stop_waiting",
    "store_key",
]
