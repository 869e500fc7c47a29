"""API keys at rest: AES-256-GCM, bound to the organization, readable after a change of keys.

Envelope: version byte, length byte and text of the key's id, 12 bytes of nonce, ciphertext with tag.
"""

import os
from base64 import b64decode

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = 1
NONCE_BYTES = 12
PURPOSE = b"cliniko.api_key"


class Vault:
    """Seals with the first of `keys`, opens with whichever sealed."""

    def __init__(self, keys: str) -> None:
        """`<id>:<base64 of 32 bytes>`, several separated by commas. Raises ValueError for anything else."""
        pairs = (pair.split(":", 1) for pair in keys.split(","))
        self._ciphers = {key_id.strip(): AESGCM(b64decode(key, validate=True)) for key_id, key in pairs}
        self._newest = next(iter(self._ciphers))

    async def works(self) -> bool:
        """True when what is sealed opens again: a readiness check."""
        return self.open(self.seal("check", "org_check"), "org_check") == "check"

    def seal(self, secret: str, organization_id: str) -> bytes:
        """An envelope that opens for this organization only."""
        nonce, key_id = os.urandom(NONCE_BYTES), self._newest.encode()
        sealed = self._ciphers[self._newest].encrypt(nonce, secret.encode(), _bound_to(organization_id))
        return bytes([VERSION, len(key_id)]) + key_id + nonce + sealed

    def open(self, envelope: bytes, organization_id: str) -> str:
        """What was sealed. Raises InvalidTag for another organization's envelope, KeyError for an unknown key id."""
        end = 2 + envelope[1]
        key_id, nonce, sealed = (
            envelope[2:end].decode(),
            envelope[end : end + NONCE_BYTES],
            envelope[end + NONCE_BYTES :],
        )
        return self._ciphers[key_id].decrypt(nonce, sealed, _bound_to(organization_id)).decode()


def _bound_to(organization_id: str) -> bytes:
    return PURPOSE + b"\0" + organization_id.encode()
