"""What a search looks through and for: part of a name, an e-mail address or a phone number, in any case."""

import re

from patients.domain.wording import dialled, storable

_PHONE_NUMBER = re.compile(r"[\d\s+()./-]+", re.ASCII)


def searchable(name: str, email: str | None, phone: str | None) -> str:
    """One text per patient; a line each, so that no term runs from one into the next."""
    return "\n".join((name, email or "", phone or "")).lower()


def term(asked: str) -> str:
    """The part of a searchable text that `asked` stands for; a phone number may be grouped in any way."""
    text = storable(asked).strip().lower()
    return (_PHONE_NUMBER.fullmatch(text) and dialled(text)) or text
