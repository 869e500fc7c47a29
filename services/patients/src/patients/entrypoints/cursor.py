"""A bookmark as a text that clients hand back.

It holds a patient's name, and addresses end up in logs on the way: so it is sealed, for one organization.
"""

import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import TypeAdapter
from pydantic_core import to_json

from patients.domain.listing import Bookmark

_BOOKMARK = TypeAdapter(Bookmark)
_NONCE_BYTES = 12


class Seal:
    """Makes and reads the cursors of one organization."""

    def __init__(self, cipher: AESGCM, organization_id: str) -> None:
        self._cipher = cipher
        self._organization = organization_id.encode()

    @classmethod
    def of(cls, organization_id: str, key: bytes) -> Self:
        """With a key made of `key`, which serves another purpose too."""
        return cls(AESGCM(hmac.digest(key, b"cursors of patients", "sha256")), organization_id)

    def cursor(self, bookmark: Bookmark) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, to_json(bookmark), self._organization)
        return urlsafe_b64encode(nonce + sealed).decode()

    def bookmark(self, cursor: str, now: datetime) -> Bookmark:
        """Raises ValueError for a text that this organization's `cursor` did not make, or too long ago."""
        try:
            sealed = urlsafe_b64decode(cursor.encode())
            opened = self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._organization)
        except (ValueError, InvalidTag):
            raise ValueError("This is no next_cursor of this organization's lists.") from None
        bookmark = _BOOKMARK.validate_json(opened)
        if bookmark.walk.is_over(now):
            raise ValueError("This next_cursor is too old: begin again with the first page.")
        return bookmark
