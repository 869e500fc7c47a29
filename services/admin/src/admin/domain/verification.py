"""Whether a chain is what it was when it was written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from admin.domain.audit import Head, Link

Fault = Literal["before", "gap", "previous", "hash", "head", "witness", "forgotten", "anchor"]

EXPLANATIONS: dict[Fault, str] = {
    "before": "it stands before the chain's beginning, where nothing is sealed",
    "gap": "it is missing",
    "previous": "it does not follow the entry before it: one of the two was changed or exchanged",
    "hash": "its content is not what was sealed",
    "head": "the chain's head says otherwise: entries were taken from the end, or put there",
    "witness": "it is not what was seen here before: the chain was written anew",
    "forgotten": "it had been on record, and is not any more: the end of the chain was taken away, or all of it",
    "anchor": "entries before it were removed, and nothing on record says so",
}


@dataclass(frozen=True, slots=True)
class Break:
    """The first place at which a chain is not whole."""

    organization_id: str
    position: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Ends:
    """The first and the last entry's position, and what says which they should be; all of one moment."""

    first: int | None
    last: int | None
    head: Head | None
    witnessed: Head | None
    """The head when the chain was last found whole."""
    expected: bool
    """Whether the organization was ever connected, which is always on record."""

    @property
    def nothing(self) -> bool:
        """There is no chain, and nothing says that there was one."""
        return self.head is None and self.last is None and self.witnessed is None and not self.expected


class Walk:
    """Goes along one chain, link by link, from its anchor to its head; both must agree with the heads `seen` before."""

    def __init__(self, organization_id: str, ends: Ends, seen: Sequence[Head] = ()) -> None:
        self._organization_id, self._ends = organization_id, ends
        self.head = head = ends.head or Head()
        self._seen = [*seen, *([ends.witnessed] if ends.witnessed else [])]
        self._position, self._hash = head.anchor_position, head.anchor_hash
        self._removed = [0 for _ in self._seen]
        """For each of them: how many entries went since, as the chain itself says."""

    def set_out(self) -> Break | None:
        """What is wrong before the first link."""
        first, anchor = self._ends.first, self.head.anchor_position
        return self._break(first, "before") if first is not None and first <= anchor else None

    def pass_by(self, links: Iterable[Link]) -> Break | None:
        """The first of these, the next of the chain, that does not fit."""
        for link in links:
            if fault := self._fault(link):
                return self._break(self._position + 1, fault)
            self._position, self._hash = link.position, link.hash
            self._count_removals(link)
        return None

    def arrive(self) -> Break | None:
        """What is wrong at the end, once every link up to the head has passed."""
        head, last = self.head, max(self._ends.last or 0, self.head.anchor_position)
        if last != head.position or self._position != head.position:
            return self._break(self._position + 1, "head")
        if self._hash != head.hash:
            return self._break(self._position, "head")
        if any(seen.position > head.position for seen in self._seen) or (self._ends.expected and not head.position):
            return self._break(head.position + 1, "forgotten")
        for seen, removed in zip(self._seen, self._removed, strict=True):
            if head.anchor_position - seen.anchor_position != removed:
                return self._break(head.anchor_position + 1, "anchor")
            if seen.position == head.anchor_position and seen.hash != head.anchor_hash:
                return self._break(head.anchor_position, "witness")
        return None

    def _fault(self, link: Link) -> Fault | None:
        if link.position != self._position + 1:
            return "gap"
        if link.previous != self._hash:
            return "previous"
        if not _is_sealed(link):
            return "hash"
        rewritten = any(seen.position == link.position and seen.hash != link.hash for seen in self._seen)
        return "witness" if rewritten else None

    def _count_removals(self, link: Link) -> None:
        if link.entry.kind == "audit.removed":
            for number, seen in enumerate(self._seen):
                if link.position > seen.position:
                    self._removed[number] += int(str(link.entry.details["removed"]))

    def _break(self, position: int, fault: Fault) -> Break:
        return Break(self._organization_id, position, fault)


def _is_sealed(link: Link) -> bool:
    try:
        return link.hash == link.seal()
    except (AttributeError, TypeError, ValueError):  # it was changed into what no entry can hold
        return False
