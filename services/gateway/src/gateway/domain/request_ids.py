"""What one request is called in every answer, log line, event and audit row."""

import re
from random import getrandbits

_ACCEPTED = re.compile(rb"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_VERSION_4 = 0x4000_8000_0000_0000_0000
_FREE_BITS = ~0xF000_C000_0000_0000_0000


def accepted(offered: bytes) -> str:
    """The client's own when it is a UUID or 32 hexadecimal digits, else a new one."""
    return offered.decode() if _ACCEPTED.fullmatch(offered) else made()


def made() -> str:
    """A UUID of version 4. It must not repeat; nobody is kept from guessing it, so that no system call is due."""
    digits = f"{getrandbits(128) & _FREE_BITS | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
