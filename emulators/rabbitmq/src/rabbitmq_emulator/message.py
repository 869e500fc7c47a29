"""A message as it was published, and a queue's entry for it."""

import copy
from dataclasses import dataclass
from typing import Self

from pamqp import commands
from pamqp.common import FieldTable

from rabbitmq_emulator.errors import precondition_failed
from rabbitmq_emulator.fields import encode_header
from rabbitmq_emulator.frames import decode_header

PERSISTENT = 2


@dataclass(slots=True)
class Message:
    """Never changed once made: queues share it.

    `header` is the content header frame's payload, sent on as it came; `lifetime` is in seconds.
    """

    exchange: str
    routing_key: str
    header: bytes
    body: bytes
    properties: commands.Basic.Properties
    lifetime: float | None

    @classmethod
    def received(cls, exchange: str, routing_key: str, header: bytes, body: bytes) -> Self:
        """SoftError when the publisher's `expiration` is no natural number of milliseconds."""
        properties = decode_header(header).properties
        return cls(exchange, routing_key, header, body, properties, _lifetime(properties.expiration))

    @property
    def headers(self) -> FieldTable:
        return self.properties.headers or {}

    @property
    def is_persistent(self) -> bool:
        return self.properties.delivery_mode == PERSISTENT

    def header_with(self, **properties: object) -> bytes:
        """The content header with some properties set anew."""
        changed = copy.copy(self.properties)
        for name, value in properties.items():
            setattr(changed, name, value)
        return encode_header(changed, len(self.body))


@dataclass(slots=True, eq=False)
class Entry:
    """A message's place in one queue. `deliveries` counts how often it was handed to somebody who has to settle it."""

    id: int
    message: Message
    expires_at: float | None
    is_kept: bool
    deliveries: int = 0


def _lifetime(expiration: str | None) -> float | None:
    if not expiration:
        return None
    if not (expiration.isascii() and expiration.removeprefix("-").isdigit()):
        raise precondition_failed(f"invalid expiration '{expiration}': no_integer")
    if expiration.startswith("-"):
        raise precondition_failed(f"invalid expiration '{expiration}': {{value_negative,{expiration}}}")
    return int(expiration) / 1000
