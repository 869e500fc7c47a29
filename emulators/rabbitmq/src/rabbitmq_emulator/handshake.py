"""From the protocol header to an open connection: who are you, how large are frames, which virtual host."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from pamqp import base, commands

from rabbitmq_emulator.errors import HardError
from rabbitmq_emulator.frames import FRAME_MAX, FRAME_MIN

CHANNEL_MAX = 2047
HEARTBEAT_SECONDS = 60
_CAPABILITIES = (
    "publisher_confirms",
    "basic.nack",
    "consumer_cancel_notify",
    "authentication_failure_close",
    "per_consumer_qos",
)


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str
    password: str

    def match(self, plain: str) -> bool:
        """`plain` is SASL PLAIN: an identity nobody uses, the user and the password, each after a zero byte."""
        expected = f"\0{self.user}\0{self.password}"
        return hmac.compare_digest(plain.partition("\0")[2].encode(), expected[1:].encode())


class Handshake:
    """Answers the client's three methods in their order; HardError when it says anything else."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._expected: type[base.Frame] = commands.Connection.StartOk
        self.frame_max = FRAME_MAX
        self.heartbeat = 0
        self.vhost: str | None = None
        self.hears_cancellations = False

    def start(self) -> base.Frame:
        return commands.Connection.Start(
            version_major=0,
            version_minor=9,
            server_properties={
                "product": "Routiq's development broker (emulates RabbitMQ 3.10)",
                "capabilities": dict.fromkeys(_CAPABILITIES, True),
            },
            mechanisms="PLAIN",
            locales="en_US",
        )

    def answer(self, method: base.Frame) -> base.Frame | None:
        if not isinstance(method, self._expected):
            raise HardError(503, f"COMMAND_INVALID - {method.name} before the connection is open")
        match method:
            case commands.Connection.StartOk():
                return self._tune(method)
            case commands.Connection.TuneOk():
                self._tuned(method)
            case commands.Connection.Open():
                self.vhost = method.virtual_host
                return commands.Connection.OpenOk()
        return None

    def _tune(self, method: commands.Connection.StartOk) -> base.Frame:
        response = method.response
        if method.mechanism != "PLAIN" or not isinstance(response, str) or not self._credentials.match(response):
            raise HardError(
                403, f"ACCESS_REFUSED - Login was refused using authentication mechanism {method.mechanism}."
            )
        capabilities = (method.client_properties or {}).get("capabilities")
        if isinstance(capabilities, Mapping):
            self.hears_cancellations = bool(capabilities.get("consumer_cancel_notify"))
        self._expected = commands.Connection.TuneOk
        return commands.Connection.Tune(CHANNEL_MAX, FRAME_MAX, HEARTBEAT_SECONDS)

    def _tuned(self, method: commands.Connection.TuneOk) -> None:
        frame_max = method.frame_max or FRAME_MAX
        if not FRAME_MIN <= frame_max <= FRAME_MAX:
            raise HardError(530, f"NOT_ALLOWED - negotiated frame_max = {frame_max} is not in {FRAME_MIN}-{FRAME_MAX}")
        self.frame_max = frame_max
        self.heartbeat = method.heartbeat
        self._expected = commands.Connection.Open
