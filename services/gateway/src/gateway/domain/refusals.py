"""The kinds of refusal that only a gateway has; the others are the chassis'."""

from typing import TYPE_CHECKING

from chassis.errors import Forbidden, Refusal
from contracts.events import RefusalReason

if TYPE_CHECKING:
    from gateway.domain.organizations import Standing


class NotAdmitted(Forbidden):
    """We know who asks, and turn them away; that goes on record."""

    def __init__(self, detail: str, reason: RefusalReason, standing: "Standing | None" = None) -> None:
        super().__init__(detail)
        self.reason, self.standing = reason, standing


class MethodNotAllowed(Refusal):
    """The address exists, for other methods."""

    status = 405


class ClientTooSlow(Refusal):
    """The client stopped sending what it had announced."""

    status = 408


class TooManyRequests(Refusal):
    """The window's budget is spent."""

    status = 429


class BadGateway(Refusal):
    """A service broke off, or answered what is not HTTP."""

    status = 502


class GatewayTimeout(Refusal):
    """A service took too long."""

    status = 504


class Failed(Refusal):
    """Our own fault."""

    status = 500
