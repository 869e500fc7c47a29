"""What the sync service does: one function a use case."""

from sync.handlers.cleanup import clean_up
from sync.handlers.clinic import clinic_standing, look_inside, stored_key, try_key, verdict
from sync.handlers.connect import check_key, disconnect, judge, store_key
from sync.handlers.depart import depart
from sync.handlers.endings import cancel, fail
from sync.handlers.erase import erase_patient
from sync.handlers.rotation import rotate_keys
from sync.handlers.runs import close_when_applied, confirm_batches, report_progress, start_sync, stop_waiting
from sync.handlers.schedule import schedule_standing, start_due, start_scheduled, switch_schedule

__all__ = [
    "cancel",
    "check_key",
    "clean_up",
    "clinic_standing",
    "close_when_applied",
    "confirm_batches",
    "depart",
    "disconnect",
    "erase_patient",
    "fail",
    "judge",
    "look_inside",
    "report_progress",
    "rotate_keys",
    "schedule_standing",
    "start_due",
    "start_scheduled",
    "start_sync",
    "stop_waiting",
    "store_key",
    "stored_key",
    "switch_schedule",
    "try_key",
    "verdict",
]
