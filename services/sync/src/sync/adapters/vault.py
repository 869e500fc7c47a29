"""API keys at rest: AES-256-GCM, bound to the organization, readable after a change of keys.

Envelope: version byte, length byte and text of the key's id, 12 bytes of nonce, ciphertext with tag.
"""

import os
import re
from base64 import b64decode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1
NONCE_BYTES, KEY_BYTES = 12, 32
PURPOSE = b"cliniko.api_key"
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Unreadable(Exception):
    """An envelope that none of the keys opens, or that is another organization's."""

    text = "The stored API key cannot be opened with the keys of this installation. Connect Cliniko again."


class Vault:
    """Seals with the first of `keys`, opens with whichever sealed."""

    def __init__(self, keys: str) -> None:
        """`<id>:<base64 of 32 bytes>`, several separated by commas. Raises ValueError, without quoting any."""
        pairs = [pair.strip().partition(":") for pair in keys.split(",")]
        self._ciphers = {key_id: _cipher(key_id, key) for key_id, _, key in pairs}
        if len(self._ciphers) < len(pairs):
            raise ValueError("Two keys have the same id.")

    @property
    def key_ids(self) -> tuple[str, ...]:
        """Of every key, the one that seals first."""
        return tuple(self._ciphers)

    async def works(self) -> bool:
        """True when what is sealed opens again: a readiness check."""
        return self.open(self.seal("check", "org_check"), "org_check") == "check"

    def seal(self, secret: str, organization_id: str) -> bytes:
        """An envelope that opens for this organization only."""
        key_id, nonce = self.key_ids[0], os.urandom(NONCE_BYTES)
        sealed = self._ciphers[key_id].encrypt(nonce, secret.encode(), _bound_to(organization_id))
        return bytes([VERSION, len(key_id)]) + key_id.encode() + nonce + sealed

    def open(self, envelope: bytes, organization_id: str) -> str:
        """What was sealed. Raises Unreadable."""
        after_id = 2 + envelope[1]
        after_nonce = after_id + NONCE_BYTES
        nonce, sealed = envelope[after_id:after_nonce], envelope[after_nonce:]
        try:
            cipher = self._ciphers[sealed_with(envelope)]
            return cipher.decrypt(nonce, sealed, _bound_to(organization_id)).decode()
        except (KeyError, InvalidTag):
            raise Unreadable from None


def sealed_with(envelope: bytes) -> str:
    """The id of the key that sealed it."""
    return envelope[2 : 2 + envelope[1]].decode(errors="replace")


def _cipher(key_id: str, key: str) -> AESGCM:
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("A key's id consists of 1 to 64 letters, digits, dots, dashes or underscores.")
    secret = b64decode(key, validate=True)
    if len(secret) != KEY_BYTES:
        raise ValueError(f"A key has {KEY_BYTES} bytes.")
    return AESGCM(secret)


def _bound_to(organization_id: str) -> bytes:
    return PURPOSE + b"\0" + organization_id.encode()
