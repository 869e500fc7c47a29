"""Bytes to frames and back: the framing is done here, the methods and properties by pamqp."""

import struct
from collections.abc import Iterator

from pamqp import base, commands, constants, frame, header
from pamqp.exceptions import UnmarshalingException

from rabbitmq_emulator.errors import HardError, frame_error
from rabbitmq_emulator.fields import Properties

PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"
FRAME_MAX = 131_072
FRAME_MIN = 4_096
ENVELOPE_BYTES = 8
HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"

_PREFIX = struct.Struct(">BHI")
_PREFIX_BYTES = 7
# What decoding hostile bytes may raise: pamqp lets some of the standard library's errors through.
_DECODING_ERRORS = (UnmarshalingException, ValueError, TypeError, LookupError, OSError, OverflowError, RecursionError)


class FrameReader:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.frame_max = FRAME_MAX

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def protocol_header(self) -> bytes | None:
        """The first eight bytes of a connection, or as many as already differ from AMQP 0-9-1; None: wait for more."""
        start = bytes(self._buffer[: len(PROTOCOL_HEADER)])
        if len(start) < len(PROTOCOL_HEADER) and PROTOCOL_HEADER.startswith(start):
            return None
        del self._buffer[: len(PROTOCOL_HEADER)]
        return start

    def frames(self) -> Iterator[tuple[int, int, bytes]]:
        """Each complete frame as (type, channel, payload)."""
        offset = 0
        try:
            while len(self._buffer) - offset >= ENVELOPE_BYTES:
                kind, channel, size = _PREFIX.unpack_from(self._buffer, offset)
                if size > self.frame_max - ENVELOPE_BYTES:
                    raise frame_error(f"frame of {size} bytes, maximum {self.frame_max}")
                start, end = offset + _PREFIX_BYTES, offset + _PREFIX_BYTES + size
                if end >= len(self._buffer):
                    return
                if self._buffer[end] != constants.FRAME_END:
                    raise frame_error("a frame does not end with 0xCE")
                offset = end + 1
                yield kind, channel, bytes(self._buffer[start:end])
        finally:
            del self._buffer[:offset]


def decode_method(payload: bytes) -> base.Frame:
    try:
        method: base.Frame = commands.INDEX_MAPPING[int.from_bytes(payload[:4], "big")]()
        method.unmarshal(payload[4:])
        method.validate()  # a name pamqp takes in but would not send out again
    except (*_DECODING_ERRORS, struct.error) as error:
        raise HardError(502, "SYNTAX_ERROR - cannot decode a method") from error
    return method


def decode_header(payload: bytes) -> header.ContentHeader:
    content = header.ContentHeader(properties=Properties())
    try:
        content.unmarshal(payload)
    except (*_DECODING_ERRORS, struct.error) as error:
        raise HardError(502, "SYNTAX_ERROR - cannot decode a content header") from error
    return content


def method_frame(channel: int, method: base.Frame) -> bytes:
    return frame.marshal(method, channel)


def content_frames(channel: int, content_header: bytes, body: bytes, frame_max: int) -> bytes:
    """The header frame of a message and its body, cut to what the peer accepts."""
    step = frame_max - ENVELOPE_BYTES
    parts = [_envelope(constants.FRAME_HEADER, channel, content_header)]
    parts += [
        _envelope(constants.FRAME_BODY, channel, body[start : start + step]) for start in range(0, len(body), step)
    ]
    return b"".join(parts)


def _envelope(kind: int, channel: int, payload: bytes) -> bytes:
    return b"".join((_PREFIX.pack(kind, channel, len(payload)), payload, constants.FRAME_END_CHAR))
