"""Exchanges: which queues a message goes to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from pamqp.common import FieldTable, FieldValue

from rabbitmq_emulator.errors import HardError, precondition_failed
from rabbitmq_emulator.fields import encode_table
from rabbitmq_emulator.message import Message
from rabbitmq_emulator.queue import Queue
from rabbitmq_emulator.topics import topic_matches

ROUTES_REMEMBERED = 10_000
HEADER_MATCHES = ("all", "any", "all-with-x", "any-with-x")


@dataclass(frozen=True, slots=True)
class Binding:
    queue: Queue
    routing_key: str
    arguments: FieldTable

    @property
    def identity(self) -> tuple[str, str, bytes]:
        return self.queue.name, self.routing_key, encode_table(self.arguments)


@dataclass(slots=True, eq=False)
class Exchange:
    name: str
    kind: str
    durable: bool = False
    auto_delete: bool = False
    internal: bool = False
    bindings: dict[tuple[str, str, bytes], Binding] = field(default_factory=dict)
    _routes: dict[str, list[Queue]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in (*_KEY_MATCHES, "headers"):
            raise HardError(503, f"COMMAND_INVALID - unknown exchange type '{self.kind}'")

    def check_equivalent(self, redeclared: Self, vhost: str) -> None:
        """SoftError naming the first difference."""
        for name in ("kind", "durable", "auto_delete", "internal"):
            received, current = getattr(redeclared, name), getattr(self, name)
            if received != current:
                shown = "type" if name == "kind" else name
                raise precondition_failed(
                    f"inequivalent arg '{shown}' for exchange '{self.name}' in vhost '{vhost}': "
                    f"received '{str(received).lower()}' but current is '{str(current).lower()}'"
                )

    def bind(self, binding: Binding) -> None:
        if self.kind == "headers" and (mode := binding.arguments.get("x-match", "all")) not in HEADER_MATCHES:
            raise precondition_failed(f"Invalid x-match field value {mode!r}; expected all or any")
        self.bindings[binding.identity] = binding
        self._routes.clear()

    def unbind(self, binding: Binding) -> bool:
        """Whether it was there."""
        self._routes.clear()
        return self.bindings.pop(binding.identity, None) is not None

    def route(self, message: Message) -> list[Queue]:
        if self.kind == "headers":
            return _queues([b for b in self.bindings.values() if _headers_match(b.arguments, message.headers)])
        key = message.routing_key
        if (known := self._routes.get(key)) is not None:
            return known
        if len(self._routes) >= ROUTES_REMEMBERED:
            self._routes.clear()
        matches = _KEY_MATCHES[self.kind]
        self._routes[key] = _queues([b for b in self.bindings.values() if matches(b.routing_key, key)])
        return self._routes[key]


def _always(_pattern: str, _routing_key: str) -> bool:
    return True


_KEY_MATCHES: dict[str, Callable[[str, str], bool]] = {
    "direct": str.__eq__,
    "fanout": _always,
    "topic": topic_matches,
}


def _queues(bindings: list[Binding]) -> list[Queue]:
    """Each queue once, however many of its bindings match."""
    return list(dict.fromkeys(binding.queue for binding in bindings))


def _headers_match(wanted: FieldTable, headers: FieldTable) -> bool:
    mode = str(wanted.get("x-match", "all"))
    counted = {
        key: value
        for key, value in wanted.items()
        if key != "x-match" and (mode.endswith("-with-x") or not key.startswith("x-"))
    }
    found = (key in headers and _same(value, headers[key]) for key, value in counted.items())
    return any(found) if mode.startswith("any") else all(found)


def _same(wanted: FieldValue, value: FieldValue) -> bool:
    """Types count too: the number 1 is not `true`. No value in the binding: any will do."""
    return wanted is None or (type(wanted) is type(value) and wanted == value)
