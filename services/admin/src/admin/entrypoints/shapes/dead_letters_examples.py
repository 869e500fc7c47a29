"""Answers about dead letters, for the API's documentation."""

from typing import Any

QUEUE = "patients.sync.patients.synced.v1"
LETTER = "00000000-0000-4000-8000-00000000000a"
NOON, LATER = "2025-06-30T12:00:00.000Z", "2025-06-30T12:01:11.250Z"

LISTED: dict[str, Any] = {
    "letter_id": LETTER,
    "queue": QUEUE,
    "event": "PatientsSynced",
    "organization_id": "org_2xwHiNrj68eaRUlX10anlXGvzX7",
    "reason": "CheckViolationError",
    "attempts": 4,
    "first_failed_at": NOON,
    "last_failed_at": LATER,
    "size": 48211,
}
SURVEY: dict[str, Any] = {
    "queues": [{"queue": QUEUE, "letters": 3, "oldest_at": LATER, "oldest_age_seconds": 3600.5}],
    "total": 3,
    "timestamp": "2025-06-30T13:01:11.750Z",
}
PAGE: dict[str, Any] = {
    "queue": QUEUE,
    "letters": [LISTED],
    "total": 3,
    "not_looked_at": 0,
    "next_cursor": f"1751284871.250000_{LETTER}",
    "timestamp": LATER,
}
SHOWN: dict[str, Any] = {
    **LISTED,
    "ids": {"event_id": LETTER, "sync_id": "sync_org_2xwHiNrj68eaRUlX10anlXGvzX7_20250630_120000"},
    "headers": {"x-routiq-reason": "CheckViolationError", "x-routiq-attempts": 4, "x-routiq-last-failed": LATER},
}
REDRIVE: dict[str, Any] = {
    "redrive_id": "7e57d004-2b97-4e7a-b45f-5387367791cd",
    "letters": [{"letter_id": LETTER, "queue": QUEUE, "sent": "refused", "why": "its queue does not exist"}],
    "more": False,
    "timestamp": LATER,
}
PROGRESS: dict[str, Any] = {
    "redrive_id": "7e57d004-2b97-4e7a-b45f-5387367791cd",
    "letters": [
        {
            "letter_id": LETTER,
            "queue": QUEUE,
            "state": "dead",
            "reason": "CheckViolationError",
            "redriven_at": NOON,
            "settled_at": LATER,
        }
    ],
    "counts": {"dead": 1},
    "timestamp": LATER,
}
DROP: dict[str, Any] = {"queue": QUEUE, "dropped": [LETTER], "more": False, "timestamp": LATER}
