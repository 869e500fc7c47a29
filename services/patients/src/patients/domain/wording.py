"""How what people typed into Cliniko is cleaned."""

import re
from collections.abc import Sequence

from contracts.records import PhoneNumber

_NOT_DIALLED = re.compile(r"[^0-9+]")


def storable(text: str) -> str:
    """Without the one character PostgreSQL cannot keep."""
    return text.replace("\0", "")


def trimmed(text: str | None) -> str | None:
    """Without white space around it; None when nothing is left."""
    return storable(text or "").strip() or None


def unless_blank(text: str | None) -> str | None:
    """As it was typed; None when it holds nothing but white space."""
    kept = storable(text or "")
    return kept if kept.strip() else None


def full_name(first: str, last: str, cliniko_patient_id: str) -> str:
    """Both names, or the number of a patient who has none."""
    return " ".join(filter(None, map(trimmed, (first, last)))) or f"Patient {cliniko_patient_id}"


def dialled(number: str) -> str:
    """Its digits, after a plus if it leads; empty when there is no digit."""
    kept = _NOT_DIALLED.sub("", number)
    digits = kept.replace("+", "")
    return f"+{digits}" if digits and kept.startswith("+") else digits


def preferred_phone(numbers: Sequence[PhoneNumber]) -> str | None:
    """The first mobile number, else the first; entries without a digit do not count."""
    usable = [(number.type, digits) for number in numbers if (digits := dialled(number.number))]
    mobile = next((digits for label, digits in usable if label == "Mobile"), None)
    return mobile or next((digits for _, digits in usable), None)
