"""W3C Trace Context: the trace a request belongs to, so that what all services did for it can be put together."""

import re
from uuid import uuid4

_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def begun(offered: bytes | None) -> bytes | None:
    """What a client offers, if it is a trace."""
    return offered if offered and valid(offered) else None


def unrecorded(traceparent: bytes) -> bytes:
    """The same trace; those who are handed it keep nothing of it."""
    return traceparent[:53] + b"00"


def recorded(traceparent: bytes) -> bytes:
    """The same trace; those who are handed it keep what they do for it."""
    return traceparent[:53] + b"01"


def id_of(traceparent: bytes) -> int:
    """The number all spans of a trace bear."""
    return int(traceparent[3:35], 16)


def valid(traceparent: bytes) -> bool:
    """A client's own trace goes on; version 00 has nothing after the flags."""
    return bool(_TRACEPARENT.fullmatch(traceparent)) and (len(traceparent) == 55 or traceparent[:2] != b"00")


def made(request_id: str) -> bytes:
    """A new trace, of which nobody has recorded anything yet.

    It is named after the request id (a UUID or 32 hexadecimal digits), so that either finds the other.
    """
    trace = request_id.replace("-", "").lower()
    if not trace[16:].strip("0"):  # an id that is all zeros is none
        trace = uuid4().hex
    return f"00-{trace}-{trace[16:]}-00".encode()
