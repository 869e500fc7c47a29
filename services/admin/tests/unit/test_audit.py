"""What is sealed, byte by byte: whoever verifies with a program of their own needs it to stay."""

from datetime import UTC, datetime
from uuid import UUID

from admin.domain.audit import GENESIS, Entry, Link, linked

ENTRY = Entry(
    entry_id=UUID("00000000-0000-4000-8000-000000000001"),
    kind="records.read",
    occurred_at=datetime(2025, 6, 30, 12, tzinfo=UTC),
    user_id="user_é",
    role="member",
    patient_ids=(UUID(int=1), UUID(int=255)),
    details={"route": "/patients", "patient_count": 2},
)
RECORDED_AT = datetime(2025, 6, 30, 12, 0, 0, 250000, tzinfo=UTC)
SEALED = (
    '{"details":{"patient_count":2,"route":"/patients"},"entry_id":"00000000000040008000000000000001","format":1,'
    '"impersonator":null,"kind":"records.read","occurred_at":"2025-06-30T12:00:00.000000Z","organization_id":"org_a",'
    '"patient_ids":"00000000000000000000000000000001000000000000000000000000000000ff","position":1,'
    f'"previous":"{GENESIS.hex()}","recorded_at":"2025-06-30T12:00:00.250000Z","request_id":null,"role":"member",'
    '"user_id":"user_é"}'
)


def test_the_sealed_text_is_what_the_decision_record_says() -> None:
    assert Link("org_a", 1, RECORDED_AT, ENTRY, GENESIS).sealed_text().decode() == SEALED


def test_the_same_entry_is_sealed_differently_in_another_place_or_another_chain() -> None:
    first, second = linked("org_a", 0, GENESIS, [ENTRY, ENTRY], RECORDED_AT)
    (elsewhere,) = linked("org_b", 0, GENESIS, [ENTRY], RECORDED_AT)
    assert len({first.hash, second.hash, elsewhere.hash}) == 3
    assert (second.position, second.previous) == (2, first.hash)
