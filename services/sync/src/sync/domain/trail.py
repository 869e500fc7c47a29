"""Rows that lead to another list, and have been followed there.

An incremental run begins a little before its cursor, so that the newest rows are shown to it again and again. One that
is the same to the letter leads to nothing new: what changed in the other list has a stream of its own.
"""

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from sync.domain.clinic import Json

KEPT = 100


class Trail:
    """Rows of one list as digests, the newest of them to be `kept` for the next run."""

    def __init__(self, kept: Iterable[str] = ()) -> None:
        self._known = frozenset(kept)
        self._followed: dict[str, str] = {}

    def new(self, rows: Sequence[Json]) -> list[Json]:
        """Those that were not shown before in the same words."""
        return [row for row in rows if _digest(row) not in self._known]

    def follow(self, rows: Sequence[Json]) -> None:
        """These rows need not be followed again."""
        self._followed |= {_digest(row): str(row.get("updated_at")) for row in rows}
        newest = sorted(self._followed.items(), key=lambda item: item[1], reverse=True)
        self._followed = dict(newest[:KEPT])

    @property
    def kept(self) -> list[str]:
        """The digests of the newest."""
        return list(self._followed)


def _digest(row: Json) -> str:
    return blake2b(json.dumps(row, sort_keys=True).encode(errors="surrogatepass"), digest_size=16).hexdigest()
