"""The map of the door: which path goes to which service, who may use it, and where it names an organization."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

GATEWAY = "gateway"


class Access(Enum):
    """Who may use a route."""

    ANYONE = "anyone"
    MEMBERS = "members"
    OPERATORS = "operators"


@dataclass(frozen=True)
class Route:
    """A path, by its template: `{name}` stands for one segment, a last `*` for any number of them."""

    template: str
    service: str = GATEWAY
    access: Access = Access.MEMBERS
    counted: bool = True
    """False for what machines ask every few seconds; it says how much budget is left, but takes none."""
    quiet: bool = False
    """Left out of the log."""
    patience: float | None = None
    """Seconds without a byte after which its service is given up; None: as the settings say."""


ROUTES = (
    Route("/", access=Access.ANYONE),
    Route("/health", access=Access.ANYONE, quiet=True),
    Route("/health/live", access=Access.ANYONE, counted=False, quiet=True),
    Route("/health/ready", access=Access.ANYONE, counted=False, quiet=True),
    Route("/metrics", access=Access.ANYONE, counted=False, quiet=True),
    Route("/openapi.json", access=Access.ANYONE),
    Route("/docs", access=Access.ANYONE),
    Route("/docs/swagger-ui.css", access=Access.ANYONE),
    Route("/docs/swagger-ui-bundle.js", access=Access.ANYONE),
    Route("/docs/start.js", access=Access.ANYONE),
    Route("/redoc", access=Access.ANYONE),
    Route("/redoc/page.css", access=Access.ANYONE),
    Route("/redoc/redoc.standalone.js", access=Access.ANYONE),
    Route("/redoc/logo-mini.svg", access=Access.ANYONE),
    Route("/redoc/start.js", access=Access.ANYONE),
    Route("/api/v1/auth/verify"),
    Route("/api/v1/auth/organization/{organization_id}/access"),
    Route("/api/v1/patients/{organization_id}/*", "patients"),
    Route("/api/v1/dashboard/{organization_id}/*", "analytics"),
    Route("/api/v1/sync/history/{organization_id}/*", "sync"),
    Route("/api/v1/sync/rejected/{organization_id}/*", "sync"),
    Route("/api/v1/sync/schedule/{organization_id}/*", "sync"),
    Route("/api/v1/sync/progress/*", "sync", patience=300.0),  # may be followed as it grows
    Route("/api/v1/sync/*", "sync"),
    Route("/api/v1/cliniko/{action}/{organization_id}/*", "sync", patience=60.0),  # some ask Cliniko, and wait
    Route("/api/v1/admin/dead-letters/*", "admin", Access.OPERATORS, patience=60.0),  # operators take turns
    Route("/api/v1/admin/*", "admin", Access.OPERATORS),
    Route("/api/v1/webhooks/clerk", "admin", Access.ANYONE),  # which is signed by Clerk itself
)
SERVICES = ("patients", "sync", "analytics", "admin")

NOWHERE = Route("unmatched", access=Access.ANYONE)
"""Where a path leads that nothing answers; its template stands for them all in logs and metrics."""


class Match(NamedTuple):
    """Where a path leads, and the organization it names."""

    route: Route
    organization_id: str | None = None


class _Pattern:
    """A route with parameters, taken apart once."""

    def __init__(self, route: Route) -> None:
        self._route = route
        segments = route.template.split("/")
        self._open_ended = segments[-1] == "*"
        self._segments = segments[:-1] if self._open_ended else segments
        self._literals = [(i, s) for i, s in enumerate(self._segments) if not s.startswith("{")]
        self._organization = segments.index("{organization_id}") if "{organization_id}" in segments else None

    def match(self, segments: list[str]) -> Match | None:
        surplus = len(segments) - len(self._segments)
        if surplus < 0 or (surplus and not self._open_ended):
            return None
        if any(segments[i] != literal for i, literal in self._literals):
            return None
        return Match(self._route, None if self._organization is None else segments[self._organization])


def _has_parameters(route: Route) -> bool:
    return "{" in route.template or "*" in route.template


def _by_area(routes: Iterable[Route]) -> dict[str, list[_Pattern]]:
    """Patterns by what follows `/api/v1/`, so that a path is compared with two or three of them."""
    areas: dict[str, list[_Pattern]] = {}
    for route in routes:
        areas.setdefault(route.template.split("/")[3], []).append(_Pattern(route))
    return areas


_PLAIN = {route.template: Match(route) for route in ROUTES if not _has_parameters(route)}
_PATTERNS = _by_area(filter(_has_parameters, ROUTES))
_UNMATCHED = Match(NOWHERE)


@lru_cache(maxsize=4096)
def match(path: str) -> Match:
    """Where a (percent-decoded) path leads. The first route of the table that fits wins."""
    plain = _PLAIN.get(path)
    if plain:
        return plain
    segments = path.split("/")
    for pattern in _PATTERNS.get(segments[3], ()) if len(segments) > 3 else ():
        found = pattern.match(segments)
        if found:
            return found
    return _UNMATCHED
