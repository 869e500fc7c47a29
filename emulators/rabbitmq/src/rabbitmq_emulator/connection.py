"""One client's TCP connection: frames in, frames out, and how it begins and ends."""

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from pamqp import base, commands, constants

from rabbitmq_emulator.channels import Channels
from rabbitmq_emulator.errors import AmqpError, HardError, frame_error, not_implemented
from rabbitmq_emulator.frames import (
    HEARTBEAT,
    PROTOCOL_HEADER,
    FrameReader,
    content_frames,
    decode_method,
    method_frame,
)
from rabbitmq_emulator.handshake import Handshake
from rabbitmq_emulator.heartbeat import Heartbeat

if TYPE_CHECKING:
    from rabbitmq_emulator.broker import Broker
    from rabbitmq_emulator.channel import Channel

HANDSHAKE_SECONDS = 10
CLOSING_SECONDS = 2
# Deliveries wait in their queues rather than here once this much is unsent.
CONGESTED_BYTES = 256 * 1024

log = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    def __init__(self, broker: "Broker") -> None:
        self._broker = broker
        self._reader = FrameReader()
        self._handshake = Handshake(broker.credentials)
        self._is_greeted = False
        self._is_closing = False
        self._channels: Channels | None = None
        self._confirming: set[Channel] = set()
        self._outgoing: list[bytes] = []
        self._outgoing_bytes = 0
        self._is_flush_due = False
        self._is_paused = False
        self._heartbeat: Heartbeat | None = None
        self.lost = asyncio.Event()

    @property
    def is_congested(self) -> bool:
        return self._is_paused or self._outgoing_bytes > CONGESTED_BYTES

    @property
    def hears_cancellations(self) -> bool:
        return self._handshake.hears_cancellations

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._deadline = asyncio.get_running_loop().call_later(HANDSHAKE_SECONDS, self._transport.abort)
        self._broker.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._broker.connections.discard(self)
        self._is_closing = True
        self._deadline.cancel()
        if self._heartbeat:
            self._heartbeat.stop()
        if self._channels:
            self._channels.close()
        self.lost.set()

    def data_received(self, data: bytes) -> None:
        if self._heartbeat:
            self._heartbeat.peer_was_heard()
        self._reader.feed(data)
        try:
            if self._is_greeted or self._greet():
                for kind, channel, payload in self._reader.frames():
                    self._on_frame(kind, channel, payload)
        except AmqpError as error:
            self.close(error)
        except Exception:
            log.exception("A defect of the emulator ends a connection")
            self.close(HardError(541, "INTERNAL_ERROR"))

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        if self._channels:
            self._channels.resume()

    def close(self, error: AmqpError) -> None:
        """Tells the client why, then waits a little for its agreement."""
        if self._is_closing:
            self._transport.close()
            return
        self._is_closing = True
        self.send_method(0, commands.Connection.Close(error.code, error.text, 0, 0))
        self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(CLOSING_SECONDS, self._transport.abort)

    def send_method(self, channel: int, method: base.Frame) -> None:
        self._send(method_frame(channel, method))

    def send_content(self, channel: int, method: base.Frame, header: bytes, body: bytes) -> None:
        self._send(method_frame(channel, method) + content_frames(channel, header, body, self._handshake.frame_max))

    def confirm_later(self, channel: "Channel") -> None:
        """In one Ack for all that the channel publishes in this turn of the event loop."""
        self._confirming.add(channel)
        self._flush_later()

    def _greet(self) -> bool:
        """Whether the client has said that it speaks AMQP 0-9-1; one that says anything else is told so and left."""
        start = self._reader.protocol_header()
        if start is None:
            return False
        self._is_greeted = start == PROTOCOL_HEADER
        if self._is_greeted:
            self.send_method(0, self._handshake.start())
        else:
            self._transport.write(PROTOCOL_HEADER)
            self._transport.close()
        return self._is_greeted

    def _on_frame(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == constants.FRAME_HEARTBEAT:
            return
        if channel == 0:
            if kind != constants.FRAME_METHOD:
                raise frame_error("content on channel 0")
            self._on_method(decode_method(payload))
        elif self._channels is None:
            raise HardError(504, "CHANNEL_ERROR - the connection is not open")
        elif not self._is_closing:
            self._channels.on_frame(kind, channel, payload)

    def _on_method(self, method: base.Frame) -> None:
        if isinstance(method, commands.Connection.Close):
            self.send_method(0, commands.Connection.CloseOk())
            self._flush()
            self._transport.close()
        elif isinstance(method, commands.Connection.CloseOk):
            self._transport.close()
        elif self._channels is None:
            self._negotiate(method)
        elif not self._is_closing:
            raise not_implemented(f"this emulator has no {method.name}")

    def _negotiate(self, method: base.Frame) -> None:
        if self._is_closing:
            return
        if answer := self._handshake.answer(method):
            self.send_method(0, answer)
        if self._handshake.vhost is not None:
            self._deadline.cancel()
            self._reader.frame_max = self._handshake.frame_max
            self._channels = Channels(self, self._broker.vhost(self._handshake.vhost))
            if seconds := self._handshake.heartbeat:
                self._heartbeat = Heartbeat(seconds, lambda: self._send(HEARTBEAT), self._transport.abort)

    def _send(self, data: bytes) -> None:
        self._outgoing.append(data)
        self._outgoing_bytes += len(data)
        self._flush_later()

    def _flush_later(self) -> None:
        if not self._is_flush_due:
            self._is_flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Confirms are promises: the journal is committed before they leave."""
        self._is_flush_due = False
        self._broker.journal.commit()
        while self._confirming:
            self._confirming.pop().send_confirms()
        was_congested = self.is_congested
        data, self._outgoing, self._outgoing_bytes = b"".join(self._outgoing), [], 0
        if not self._transport.is_closing():
            self._transport.write(data)
        if was_congested and not self.is_congested and self._channels:
            self._channels.resume()
