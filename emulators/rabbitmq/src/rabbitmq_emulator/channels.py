"""The channels of one connection: which are open, which are closing, and what each frame is for."""

from typing import TYPE_CHECKING

from pamqp import base, commands, constants

from rabbitmq_emulator.channel import Channel
from rabbitmq_emulator.content import IncomingContent
from rabbitmq_emulator.errors import HardError, SoftError, frame_error, not_implemented
from rabbitmq_emulator.frames import decode_method
from rabbitmq_emulator.handshake import CHANNEL_MAX
from rabbitmq_emulator.messaging import MESSAGING_METHODS
from rabbitmq_emulator.topology import TOPOLOGY_METHODS
from rabbitmq_emulator.vhost import VirtualHost

if TYPE_CHECKING:
    from rabbitmq_emulator.connection import Connection

METHODS = {**MESSAGING_METHODS, **TOPOLOGY_METHODS}


class Channels:
    def __init__(self, connection: "Connection", vhost: VirtualHost) -> None:
        self._connection = connection
        self._vhost = vhost
        self._open: dict[int, Channel] = {}
        # Closed by us, not yet agreed to by the client: what it sent meanwhile is void.
        self._closing: set[int] = set()

    def on_frame(self, kind: int, number: int, payload: bytes) -> None:
        """HardError when the frame has no place here."""
        if kind == constants.FRAME_METHOD:
            self._on_method(number, decode_method(payload))
        elif kind not in (constants.FRAME_HEADER, constants.FRAME_BODY):
            raise frame_error(f"unknown frame type {kind}")
        elif number not in self._closing:
            self._on_content(kind, number, payload)

    def resume(self) -> None:
        """The connection has room for deliveries again."""
        for channel in list(self._open.values()):
            channel.resume()

    def close(self) -> None:
        for channel in list(self._open.values()):
            channel.close()
        self._vhost.remove_queues_of(self._connection)

    def _on_method(self, number: int, method: base.Frame) -> None:
        match method:
            case commands.Channel.Close():
                self._close_for_client(number)
            case commands.Channel.CloseOk():
                self._closing.discard(number)
            case _ if number in self._closing:
                return
            case commands.Channel.Open():
                self._open_for_client(number)
            case _:
                self._perform(self._channel(number), method)

    def _on_content(self, kind: int, number: int, payload: bytes) -> None:
        channel = self._channel(number)
        add = IncomingContent.add_header if kind == constants.FRAME_HEADER else IncomingContent.add_body
        try:
            channel.receive_content(add, payload)
        except SoftError as error:
            self._fail(channel, error, commands.Basic.Publish.index)

    def _perform(self, channel: Channel, method: base.Frame) -> None:
        handler = METHODS.get(type(method))
        if handler is None:
            raise not_implemented(f"this emulator has no {method.name}")
        try:
            answer = handler(channel, method)
        except SoftError as error:
            self._fail(channel, error, method.index)
            return
        if answer is not None and not getattr(method, "nowait", False):
            channel.send(answer)

    def _channel(self, number: int) -> Channel:
        if number not in self._open:
            raise HardError(504, "CHANNEL_ERROR - expected 'channel.open'")
        return self._open[number]

    def _open_for_client(self, number: int) -> None:
        if number in self._open or number > CHANNEL_MAX:
            raise HardError(504, f"CHANNEL_ERROR - channel {number} cannot be opened")
        self._open[number] = Channel(number, self._connection, self._vhost)
        self._connection.send_method(number, commands.Channel.OpenOk())

    def _close_for_client(self, number: int) -> None:
        self._closing.discard(number)
        if channel := self._open.pop(number, None):
            channel.send_confirms()
            channel.close()
        self._connection.send_method(number, commands.Channel.CloseOk())

    def _fail(self, channel: Channel, error: SoftError, method_index: int) -> None:
        """Closes the channel on the client, naming the method (class in the upper half of its index) that failed."""
        del self._open[channel.number]
        self._closing.add(channel.number)
        channel.send_confirms()
        channel.close()
        class_id, method_id = divmod(method_index, 1 << 16)
        channel.send(commands.Channel.Close(error.code, error.text, class_id, method_id))
