"""One JSON line per thing that happened, built so that it cannot carry patient data.

Only fields on the allow-list pass, only their short scalar values, and an exception is told by its type and the lines
it passed through: its text, arguments and local variables may quote a row.
"""

import json
import logging
import sys
import traceback
from types import NoneType
from typing import Any

import structlog
from pydantic_core import PydanticSerializationError, to_json
from structlog.typing import EventDict, Processor, WrappedLogger

from chassis import tracing

FIELDS = frozenset(
    {"event", "level", "timestamp", "service", "logger", "version", "port", "pid"}
    | {"request_id", "trace_id", "organization_id", "sync_id", "event_id", "batch_id", "kid"}
    | {"method", "route", "status", "routing_key", "queue", "consumer", "attempt", "delay_s"}
    | {"kind", "mode", "step", "resource", "page", "count", "region", "revision", "url_host"}
    | {"duration_ms", "outcome", "reason", "error", "sqlstate", "where", "missing", "position", "hash"}
)
TALKATIVE = ("uvicorn.error", "alembic")
"""Foreign loggers whose messages are known to hold addresses and states only; aiormq's may quote a whole message."""

LONGEST = 300
NUMBER_OR_NOTHING = (int, float, NoneType)

Described = dict[str, Any]


def configure(service: str, level: str) -> None:
    """Send everything, our own lines and those of libraries, to standard output as JSON."""
    finish: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        lambda _logger, _method, entry: {"service": service, **entry},
        allow_listed,
        structlog.processors.JSONRenderer(_json),
    ]
    structlog.configure(  # straight to the stream: the way through logging costs three times as much
        processors=[structlog.contextvars.merge_contextvars, tracing.identified, *finish],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    without_record = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[_foreign], processors=[without_record, *finish])
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    for noisy in ("aio_pika", "aiormq", "sqlalchemy", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def allow_listed(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    """Drop every field that is not on the list, and everything that is not a short plain value."""
    kept = {name: value for name, value in entry.items() if name in FIELDS and _plain(value)}
    if len(kept) < len(entry):
        kept["dropped"] = sorted(set(entry) - set(kept))
    return kept


def describe(error: BaseException) -> Described:
    """An exception as fields: its type, PostgreSQL's error code when it has one, and our lines it passed through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "site-packages" not in f.filename]
    where = " < ".join(f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno} {f.name}" for f in reversed(frames[-4:]))
    sqlstate: str | None = getattr(getattr(error, "orig", error), "sqlstate", None)
    return {"error": type(error).__name__, "where": where, **({"sqlstate": sqlstate} if sqlstate else {})}


def _plain(value: object) -> bool:
    return len(value) <= LONGEST if isinstance(value, str) else isinstance(value, NUMBER_OR_NOTHING)


def _json(entry: EventDict, **_options: object) -> str:
    """pydantic writes it in a seventh of the time, but no half of a surrogate pair."""
    try:
        return to_json(entry).decode()
    except PydanticSerializationError:
        return json.dumps(entry)


def _foreign(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    record: logging.LogRecord = entry["_record"]
    if not record.name.startswith(TALKATIVE):
        entry["event"] = "library message withheld"
    entry["logger"] = record.name
    if record.exc_info and record.exc_info[1]:
        entry.update(describe(record.exc_info[1]))
    return entry
