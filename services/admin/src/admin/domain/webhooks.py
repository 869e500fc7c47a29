"""Messages signed by the standard-webhooks scheme, as Svix delivers them for Clerk."""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from chassis.errors import Unauthorized

TOLERANCE_SECONDS = 300
"""Between the moment of a delivery and ours: what is older may be a recording."""
SHORTEST_SECRET = 24
"""Bytes."""

_PREFIXES = ("svix", "webhook")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def secrets_in(setting: str) -> tuple[bytes, ...]:
    """The keys of `whsec_<base64>`, comma separated: while one is exchanged for another, both. Raises ValueError."""
    return tuple(_key(one.strip().removeprefix("whsec_")) for one in setting.split(","))


def _key(secret: str) -> bytes:
    with suppress(ValueError):
        key = b64decode(secret, validate=True)
        if len(key) >= SHORTEST_SECRET:
            return key
    raise ValueError("is not a list of signing secrets of the form whsec_<base64>")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What somebody says is a message of Clerk's; a message that is delivered again keeps its id."""

    message_id: str
    timestamp: str
    signatures: str
    body: bytes

    @classmethod
    def of(cls, headers: Mapping[str, str], body: bytes) -> Self:
        """From the three headers, in either spelling. Raises Unauthorized when one is missing."""
        for prefix in _PREFIXES:
            found = [headers.get(f"{prefix}-{name}") for name in ("id", "timestamp", "signature")]
            message_id, timestamp, signatures = found
            if message_id and timestamp and signatures:
                return cls(message_id, timestamp, signatures, body)
        raise Unauthorized("A signed message is required: svix-id, svix-timestamp and svix-signature.")

    def check(self, secrets: Sequence[bytes], now: float) -> None:
        """Return when it was signed with one of the secrets, just now (unix seconds). Raises Unauthorized."""
        if not _TIMESTAMP.fullmatch(self.timestamp) or abs(now - int(self.timestamp)) > TOLERANCE_SECONDS:
            raise Unauthorized("The message is too old, or its clock is wrong.")
        offered = [one[3:].encode() for one in self.signatures.split(" ") if one.startswith("v1,")]
        right = [self._signature(secret) for secret in secrets]
        if not any(hmac.compare_digest(one, other) for one in offered for other in right):
            raise Unauthorized("The signature does not fit the message.")

    def _signature(self, secret: bytes) -> bytes:
        signed = b"%b.%b.%b" % (self.message_id.encode(), self.timestamp.encode(), self.body)
        return b64encode(hmac.digest(secret, signed, "sha256"))
