"""A message on its way in: one method frame, one header frame, then the body in pieces."""

from dataclasses import dataclass, field

from pamqp import commands

from rabbitmq_emulator.errors import HardError, precondition_failed
from rabbitmq_emulator.message import Message

LARGEST_BODY = 128 * 1024 * 1024
_BODY_SIZE = slice(4, 12)


@dataclass(slots=True)
class IncomingContent:
    method: commands.Basic.Publish
    _header: bytes | None = None
    _size: int = 0
    _received: int = 0
    _parts: list[bytes] = field(default_factory=list)

    def add_header(self, payload: bytes) -> None:
        if self._header is not None:
            raise _unexpected("a second content header")
        self._header = payload
        self._size = int.from_bytes(payload[_BODY_SIZE], "big")
        if self._size > LARGEST_BODY:
            raise precondition_failed(f"message size {self._size} is larger than configured max size {LARGEST_BODY}")

    def add_body(self, payload: bytes) -> None:
        self._received += len(payload)
        if self._header is None or self._received > self._size:
            raise _unexpected("a body that no content header announced")
        self._parts.append(payload)

    def message(self) -> Message | None:
        """None while pieces are missing."""
        if self._header is None or self._received < self._size:
            return None
        return Message.received(self.method.exchange, self.method.routing_key, self._header, b"".join(self._parts))


def _unexpected(what: str) -> HardError:
    return HardError(505, f"UNEXPECTED_FRAME - {what}")
