"""Verification of Clerk's session tokens, remembered for a moment because the same token comes with every request."""

import re
import time
from collections.abc import Callable, Collection
from hashlib import sha256

import jwt

from chassis.errors import Unauthorized
from gateway.adapters.clerk import SigningKeys
from gateway.adapters.measures import Counts
from gateway.domain import claims
from gateway.domain.claims import REFUSED, Claims

REMEMBERED_SECONDS = 60
"""How long a revoked session may still pass."""
LEEWAY_SECONDS = 5

JUDGED = Counts(
    "routiq_gateway_tokens", "Tokens seen, by how they were judged.", "outcome", ("verified", "remembered", "refused")
)

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
"""A token in its one right spelling."""
_UNREADABLE = (TypeError, ValueError, AttributeError, OverflowError, RecursionError)
"""What PyJWT and we trip over in a token that nobody but a forger, or a mistaken issuer, would write."""


class Tokens:
    """Judges tokens of one issuer; remembers the claims of good ones by the token's hash, never past their expiry."""

    def __init__(
        self,
        keys: SigningKeys,
        issuer: str,
        parties: Collection[str],
        clock: Callable[[], float] = time.time,
        capacity: int = 20_000,
    ) -> None:
        self._keys, self._issuer, self._parties = keys, issuer, frozenset(parties)
        self._clock, self._capacity = clock, capacity
        self._remembered: dict[bytes, tuple[float, Claims]] = {}

    def recall(self, token: str) -> Claims | None:
        """The claims of a token that was found good a moment ago."""
        found = self._remembered.get(_digest(token))
        if found is None or self._clock() >= found[0]:
            return None
        JUDGED.inc("remembered")
        return found[1]

    async def verify(self, token: str) -> Claims:
        """The token's claims. Raises Unauthorized, or Unavailable while no key is known."""
        known = self.recall(token)
        if known:
            return known
        try:
            verified = claims.read(await self._payload(token), self._parties)
        except (jwt.PyJWTError, Unauthorized, *_UNREADABLE):
            JUDGED.inc("refused")
            raise Unauthorized(REFUSED) from None
        JUDGED.inc("verified")
        self._remember(_digest(token), verified)
        return verified

    async def _payload(self, token: str) -> dict[str, object]:
        if not _COMPACT.fullmatch(token):
            raise jwt.DecodeError
        header = jwt.get_unverified_header(token)
        if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
            raise jwt.InvalidAlgorithmError
        key = await self._keys.find(header["kid"])
        if key is None:
            raise jwt.InvalidKeyError
        payload: dict[str, object] = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            issuer=self._issuer,
            leeway=LEEWAY_SECONDS,
            # A session token has no audience; `azp` says whom it is for.
            options={"require": ["exp", "iat", "nbf", "sub", "sid"], "verify_aud": False},
        )
        return payload

    def _remember(self, digest: bytes, verified: Claims) -> None:
        self._remembered.pop(digest, None)
        if len(self._remembered) >= self._capacity:
            del self._remembered[next(iter(self._remembered))]
        self._remembered[digest] = (min(self._clock() + REMEMBERED_SECONDS, verified.expires_at), verified)


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()
