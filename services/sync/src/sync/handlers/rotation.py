"""Seal every stored API key with the newest key, while everything runs."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from sync.adapters.store import Store, Transactions
from sync.adapters.vault import Unreadable, Vault, sealed_with

BATCH = 100

NextStale = Callable[[str, int], Awaitable[Sequence[str]]]
"""The first organizations after the given one whose key is sealed with an older key."""


@dataclass(frozen=True)
class Rotated:
    """How far it is; `unreadable` envelopes were left as they are."""

    resealed: int
    unreadable: int


async def rotate_keys(next_stale: NextStale, transactions: Transactions, vault: Vault) -> AsyncIterator[Rotated]:
    """Reseal in batches, saying after each how far it is.

    Each envelope is a transaction of its own, so it can be stopped anywhere and begun again; what is sealed with the
    newest key is not touched.
    """
    resealed = unreadable = 0
    after = ""
    while stale := await next_stale(after, BATCH):
        for organization_id in stale:
            async with transactions(organization_id) as store:
                try:
                    resealed += await _reseal(store, vault)
                except Unreadable:
                    unreadable += 1
        after = stale[-1]
        yield Rotated(resealed, unreadable)


async def _reseal(store: Store, vault: Vault) -> bool:
    """False when somebody stored or removed a key meanwhile."""
    envelope = await store.connections.sealed_key()
    if envelope is None or sealed_with(envelope) == vault.key_ids[0]:
        return False
    secret = vault.open(envelope, store.organization_id)
    await store.connections.reseal(vault.seal(secret, store.organization_id))
    return True
