"""W3C Trace Context: the trace a request belongs to, so that what all services did for it can be put together."""

import re
from uuid import uuid4

_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")


def valid(traceparent: bytes) -> bool:
    """A client's own trace goes on; version 00 has nothing after the flags."""
    return bool(_TRACEPARENT.fullmatch(traceparent)) and (len(traceparent) == 55 or traceparent[:2] != b"00")


def made(request_id: str) -> bytes:
    """A new trace, named after the request id (a UUID or 32 hex digits) so that either finds the other."""
    trace = request_id.replace("-", "").lower()
    if not trace[16:].strip("0"):  # an id that is all zeros is none
        trace = uuid4().hex
    return f"00-{trace}-{trace[16:]}-01".encode()
