"""A list request's query string: conditions, order and page, and the links to the pages beside it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from cliniko_emulator.call import Parameters
from cliniko_emulator.filters import Condition, QueryError, parse
from cliniko_emulator.order import Sort
from cliniko_emulator.resource import Resource

_MOST_PER_PAGE = 100
_DEFAULT_PER_PAGE = 50
_KEPT_IN_LINKS = {"q[]", "q", "sort", "order", "per_page"}


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    size: int

    @property
    def start(self) -> int:
        return (self.number - 1) * self.size

    def links(self, address: str, parameters: Parameters, total: int) -> dict[str, str]:
        """`self`, and `next` and `previous` where there is such a page; unknown parameters are not carried on."""
        kept = urlencode([(name, value) for name, value in parameters if name in _KEPT_IN_LINKS])
        start = f"{address}?{kept}&page=" if kept else f"{address}?page="

        def at(number: int) -> str:
            return f"{start}{number}"

        links = {"self": at(self.number)}
        if self.start + self.size < total:
            links["next"] = at(self.number + 1)
        if self.number > 1:
            links["previous"] = at(self.number - 1)
        return links


def page(parameters: Parameters, *, refuse_large: bool = False) -> Page:
    """SIM: out of range is clamped, and what is no number reads as not given."""
    given = dict(parameters)
    size = _integer(given.get("per_page"), _DEFAULT_PER_PAGE)
    if refuse_large and size > _MOST_PER_PAGE:
        raise QueryError(f"per_page must be at most {_MOST_PER_PAGE}")
    return Page(number=max(1, _integer(given.get("page"), 1)), size=min(max(1, size), _MOST_PER_PAGE))


def _integer(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,15}", text) else default


def list_conditions(
    resource: Resource, parameters: Parameters, scope: Iterable[Condition] = ()
) -> frozenset[Condition]:
    asked = {parse(text, resource.columns) for text in _filters(parameters)} | {*scope}
    return frozenset(asked | _exclusions(resource, asked))


def record_conditions(resource: Resource, parameters: Parameters) -> frozenset[Condition]:
    """GET by id filters by nothing but the columns that hide the record."""
    hiding = {column: resource.columns[column] for column in resource.hiding}
    asked = {parse(text, hiding) for text in _filters(parameters)}
    return frozenset(asked | _exclusions(resource, asked))


def _filters(parameters: Parameters) -> list[str]:
    """Of a bare `q` repeated, Cliniko sees only the last."""
    several = [value for name, value in parameters if name == "q[]"]
    return several or [value for name, value in parameters if name == "q"][-1:]


def _exclusions(resource: Resource, asked: set[Condition]) -> set[Condition]:
    """SIM: a default exclusion is per column, and any condition on the column lifts it."""
    named = {condition.column for condition in asked}
    return {parse(f"{column}:!?", resource.columns) for column in resource.hiding if column not in named}


def sort(resource: Resource, parameters: Parameters, *, by_id: bool = True) -> Sort:
    given = dict(parameters)
    columns = resource.sortable if by_id else resource.sortable - {"id"}
    default = given.get("order") or "asc"
    return tuple(_sort_key(columns, part, default) for part in (given.get("sort") or resource.default_sort).split(","))


def _sort_key(columns: frozenset[str], part: str, default: str) -> tuple[str, bool]:
    column, _, direction = part.partition(":")
    direction = direction or default
    if column not in columns or direction not in {"asc", "desc"}:
        raise QueryError("Sort parameter must be a valid column name")
    return column, direction == "desc"
