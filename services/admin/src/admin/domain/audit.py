"""What is on record of an organization: entries in a row, each sealed together with the seal of the one before it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

Kind = Literal[
    "records.read",
    "patient.erased",
    "sync.started",
    "sync.ended",
    "connection.changed",
    "schedule.changed",
    "organization.created",
    "organization.deleted",
    "access.refused",
    "logs.removed",
    "audit.read",
    "audit.removed",
    "audit.cleaned",
    "letter.redriven",
    "letter.dropped",
]
Details = Mapping[str, str | int | bool | None]
"""Flat, and of ids, counts and states only: nothing that a patient said or is called."""

FORMAT = 1
"""Of the sealed text; entries keep the one they were sealed in, so a change of it needs a column that tells it."""
GENESIS = bytes(32)
"""What stands where the first entry of a chain has its predecessor's hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that happened; its id is what makes it the same when it is told again."""

    entry_id: UUID
    kind: Kind
    occurred_at: datetime
    request_id: str | None = None
    user_id: str | None = None
    role: str | None = None
    impersonator: str | None = None
    """The user id of who acted in this person's name."""
    patient_ids: Sequence[UUID] = ()
    details: Details = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry in its place; positions count from 1, without a gap."""

    organization_id: str
    position: int
    recorded_at: datetime
    entry: Entry
    previous: bytes
    hash: bytes = b""

    def seal(self) -> bytes:
        """The SHA-256 that `hash` must be."""
        return hashlib.sha256(self.sealed_text()).digest()

    def sealed_text(self) -> bytes:
        """UTF-8 JSON with sorted keys and no white space, as docs/decisions/0019-audit-chain.md describes it."""
        entry = self.entry
        content = {
            "format": FORMAT,
            "organization_id": self.organization_id,
            "position": self.position,
            "previous": self.previous.hex(),
            "recorded_at": _written(self.recorded_at),
            "entry_id": entry.entry_id.hex,
            "kind": entry.kind,
            "occurred_at": _written(entry.occurred_at),
            "request_id": entry.request_id,
            "user_id": entry.user_id,
            "role": entry.role,
            "impersonator": entry.impersonator,
            "patient_ids": b"".join([patient_id.bytes for patient_id in entry.patient_ids]).hex(),
            "details": entry.details,
        }
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends, and where it begins since its oldest entries were removed lawfully."""

    position: int = 0
    hash: bytes = GENESIS
    anchor_position: int = 0
    """Of the last entry removed."""
    anchor_hash: bytes = GENESIS


def linked(
    organization_id: str, position: int, previous: bytes, entries: Sequence[Entry], recorded_at: datetime
) -> list[Link]:
    """The entries in the places after `position`, whose entry has the hash `previous`."""
    links = []
    for place, entry in enumerate(entries, start=position + 1):
        link = Link(organization_id, place, recorded_at, entry, previous)
        previous = link.seal()
        links.append(Link(organization_id, place, recorded_at, entry, link.previous, previous))
    return links


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
