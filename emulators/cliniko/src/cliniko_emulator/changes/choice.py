"""Which records a change is made to: named by id, or found as a list request would find them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cliniko_emulator.changes.site import Site
from cliniko_emulator.query import list_conditions, sort


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Without ids the first `count` of the list that `q` and `sort` give, 0 for all; hidden rows as in that list."""

    id: str | None = None
    ids: Sequence[str] = ()
    q: Sequence[str] = ()
    sort: str = ""
    count: int = 1

    def check(self, site: Site) -> None:
        """Raises QueryError for a condition or an order that does not exist, ValueError for an impossible id."""
        [int(one) for one in self._named]
        self._listed(site)

    def records(self, site: Site) -> list[Any]:
        if named := self._named:
            return [record for one in named if (record := site.table.get(int(one))) is not None]
        conditions, order = self._listed(site)
        found = site.table.select(conditions, order)
        return found.page(0, self.count or found.total)

    @property
    def _named(self) -> Sequence[str]:
        return [*self.ids, *([] if self.id is None else [self.id])]

    def _listed(self, site: Site) -> Any:
        conditions = list_conditions(site.resource, [("q[]", text) for text in self.q])
        return conditions, sort(site.resource, [("sort", self.sort)])
