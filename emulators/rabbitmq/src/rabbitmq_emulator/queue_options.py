"""What a queue is declared with, checked as RabbitMQ 3.10 checks it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from pamqp.common import FieldTable, FieldValue

from rabbitmq_emulator.errors import not_implemented, precondition_failed

CLASSIC, QUORUM = "classic", "quorum"
AT_LEAST_ONCE, REJECT_PUBLISH = "at-least-once", "reject-publish"
# Accepting these and ignoring them would let a test pass here that fails on RabbitMQ.
UNSUPPORTED = ("x-max-priority", "x-single-active-consumer", "x-expires", "x-max-length-bytes")


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """`arguments` holds those that make two declarations equivalent or not; `message_ttl` is in seconds."""

    arguments: FieldTable
    kind: str = CLASSIC
    durable: bool = False
    auto_delete: bool = False
    message_ttl: float | None = None
    max_length: int | None = None
    rejects_publish: bool = False
    delivery_limit: int | None = None
    dead_letter_exchange: str | None = None
    dead_letter_routing_key: str | None = None
    dead_letters_at_least_once: bool = False

    @classmethod
    def declared(cls, arguments: FieldTable, *, durable: bool, auto_delete: bool, where: str) -> Self:
        """SoftError when the arguments are not what RabbitMQ takes; `where` names the queue in it."""
        given = {"x-queue-type": CLASSIC, **arguments}
        _check(given, where)
        dead_letter_exchange = _text(given.get("x-dead-letter-exchange"))
        rejects_publish = given.get("x-overflow") == REJECT_PUBLISH
        ttl = _number(given.get("x-message-ttl"))
        return cls(
            arguments={name: value for name, value in given.items() if name in _CHECKS},
            kind=str(given["x-queue-type"]),
            durable=durable,
            auto_delete=auto_delete,
            message_ttl=None if ttl is None else ttl / 1000,
            max_length=_number(given.get("x-max-length")),
            rejects_publish=rejects_publish,
            delivery_limit=_number(given.get("x-delivery-limit")),
            dead_letter_exchange=dead_letter_exchange,
            dead_letter_routing_key=_text(given.get("x-dead-letter-routing-key")),
            # RabbitMQ falls back to at-most-once unless all three are set.
            dead_letters_at_least_once=given.get("x-dead-letter-strategy") == AT_LEAST_ONCE
            and rejects_publish
            and dead_letter_exchange is not None,
        )

    @property
    def is_quorum(self) -> bool:
        return self.kind == QUORUM

    def check_equivalent(self, redeclared: Self, where: str) -> None:
        """SoftError naming the first difference."""
        differing = (
            ("durable", _flag(redeclared.durable), _flag(self.durable)),
            ("auto_delete", _flag(redeclared.auto_delete), _flag(self.auto_delete)),
            *((name, _shown(redeclared.arguments, name), _shown(self.arguments, name)) for name in _CHECKS),
        )
        for name, received, current in differing:
            if received != current:
                raise precondition_failed(
                    f"inequivalent arg '{name}' for {where}: received {received} but current is {current}"
                )


def _check(given: FieldTable, where: str) -> None:
    kind = given["x-queue-type"]
    if kind not in (CLASSIC, QUORUM):
        raise precondition_failed(f"invalid arg 'x-queue-type' for {where}: \"unsupported queue type {kind!r}\"")
    for name in given:
        if name in UNSUPPORTED:
            raise not_implemented(f"this emulator has no '{name}'")
        if kind == CLASSIC and name in _QUORUM_ONLY:
            raise precondition_failed(f"invalid arg '{name}' for {where} of queue type rabbit_classic_queue")
        if name in _CHECKS and (problem := _CHECKS[name](given[name])):
            raise precondition_failed(f"invalid arg '{name}' for {where}: {problem}")
    if "x-dead-letter-routing-key" in given and "x-dead-letter-exchange" not in given:
        raise precondition_failed(
            f"invalid arg 'x-dead-letter-routing-key' for {where}: routing_key_but_no_dlx_defined"
        )


def check_quorum_properties(*, durable: bool, exclusive: bool, auto_delete: bool, where: str) -> None:
    """SoftError unless a quorum queue may be declared so."""
    refused = {"non-durable": not durable, "auto-delete": auto_delete, "exclusive-owner": exclusive}
    for name, is_asked in refused.items():
        if is_asked:
            raise precondition_failed(f"invalid property '{name}' for {where}")


def _whole_number(value: FieldValue) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return f'"expected integer, got {type(value).__name__}"'
    return f"{{value_negative,{value}}}" if value < 0 else None


def _integer(value: FieldValue) -> str | None:
    return None if isinstance(value, int) and not isinstance(value, bool) else '"expected integer"'


def _string(value: FieldValue) -> str | None:
    return None if isinstance(value, str) else '"expected string"'


def _one_of(problem: str, *allowed: str) -> Callable[[FieldValue], str | None]:
    return lambda value: None if value in allowed else problem


# Each returns what is wrong with the value, or None.
_CHECKS: dict[str, Callable[[FieldValue], str | None]] = {
    "x-queue-type": _string,
    "x-message-ttl": _whole_number,
    "x-max-length": _whole_number,
    "x-overflow": _one_of("invalid_overflow", "drop-head", REJECT_PUBLISH),
    "x-delivery-limit": _integer,
    "x-dead-letter-exchange": _string,
    "x-dead-letter-routing-key": _string,
    "x-dead-letter-strategy": _one_of("invalid_dlx_strategy", "at-most-once", AT_LEAST_ONCE),
}
_QUORUM_ONLY = ("x-delivery-limit", "x-dead-letter-strategy")


def _flag(value: bool) -> str:
    return f"'{str(value).lower()}'"


def _shown(arguments: FieldTable, name: str) -> str:
    return f"'{arguments[name]!s}'" if name in arguments else "none"


def _number(value: FieldValue) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: FieldValue) -> str | None:
    return value if isinstance(value, str) else None
