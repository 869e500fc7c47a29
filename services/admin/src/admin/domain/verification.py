"""Whether a chain is what it was when it was written."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from admin.domain.audit import Head, Link

Fault = Literal["gap", "previous", "hash", "head"]

EXPLANATIONS: dict[Fault, str] = {
    "gap": "it is missing",
    "previous": "it does not follow the entry before it: one of the two was changed or exchanged",
    "hash": "its content is not what was sealed",
    "head": "the chain's head says otherwise: entries were taken from the end, or put there",
}


@dataclass(frozen=True, slots=True)
class Break:
    """The first place at which a chain is not whole."""

    organization_id: str
    position: int
    fault: Fault


class Walk:
    """Goes along one chain, link by link, from its anchor to its head."""

    def __init__(self, organization_id: str, head: Head, last_position: int) -> None:
        """`last_position` is the last entry's at the moment the head was read; 0 when there is none."""
        self._organization_id = organization_id
        self._head = head
        self._last_position = max(last_position, head.anchor_position)
        self._position, self._hash = head.anchor_position, head.anchor_hash

    def pass_by(self, links: Iterable[Link]) -> Break | None:
        """The first of these, the next of the chain, that does not fit."""
        for link in links:
            if fault := self._fault(link):
                return self._break(self._position + 1, fault)
            self._position, self._hash = link.position, link.hash
        return None

    def arrive(self) -> Break | None:
        """What is wrong at the end, once every link up to the head has passed."""
        head = self._head
        if self._last_position != head.position or self._position != head.position:
            return self._break(self._position + 1, "head")
        return None if self._hash == head.hash else self._break(self._position, "head")

    def _fault(self, link: Link) -> Fault | None:
        if link.position != self._position + 1:
            return "gap"
        if link.previous != self._hash:
            return "previous"
        return None if _is_sealed(link) else "hash"

    def _break(self, position: int, fault: Fault) -> Break:
        return Break(self._organization_id, position, fault)


def _is_sealed(link: Link) -> bool:
    try:
        return link.hash == link.seal()
    except (AttributeError, TypeError, ValueError):  # it was changed into what no entry can hold
        return False
