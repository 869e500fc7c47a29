"""Which of several states of a record counts."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar


class State(Protocol):
    """Of two states of a record the one with the higher `sequence` is newer."""

    @property
    def sequence(self) -> int: ...


S = TypeVar("S", bound=State)


def newest_of_each(states: Iterable[S], key: Callable[[S], str]) -> list[S]:
    """One state of each record, in the order of the keys: a statement may name a row once, and locks in this order."""
    newest = {key(state): state for state in sorted(states, key=lambda state: state.sequence)}
    return [newest[name] for name in sorted(newest)]
