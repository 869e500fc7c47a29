"""What so many clinics take: `.venv/bin/python bench/growth.py`. docs/growth.md holds what it prints.

Computed by `growth_model.py`, but for the last table, which `growth_day.py` simulates. Nothing is measured here.
"""

import sys
from collections.abc import Iterable
from math import ceil

from growth_day import Case, simulate
from growth_model import CLINIC, MINUTE, PAGE, RATES, first_import, replicas

SCALES = (10, 100, 1_000, 10_000)
SIZES = (1_000, 6_000, 110_000, 1_100_000)
"""Records of a clinic: patients and appointments."""
CASES = (
    Case(1_000, 2),
    Case(10_000, 2),
    Case(10_000, 4),
    Case(10_000, 6, answer_seconds=0.5),
    Case(10_000, 6, answer_seconds=0.8),
    Case(10_000, 4, away_hours=1),
    Case(10_000, 6, away_hours=1),
)


def by_scale() -> str:
    """What grows with clinics."""
    rows = [_scaled(clinics) for clinics in SCALES]
    heads = (
        "clinics",
        "requests/s",
        "gateway",
        "patients",
        "analytics",
        "sync",
        "admin",
        "connections",
        "`max_connections`",
        "applied anew",
    )
    return _table(heads, rows)


def by_size() -> str:
    """What grows with one clinic, whatever the number of replicas."""
    rows = [(f"{size:,}", f"{ceil(size / PAGE):,}", f"{first_import(size) / MINUTE:.1f} min") for size in SIZES]
    return _table(("records", "pages", "first import"), rows)


def by_day() -> str:
    """What a day of scheduled runs is like."""
    heads = (
        "clinics",
        "sync",
        "answers in",
        "hands at work",
        "99 % wait",
        "longest",
        "late until",
        "requests/s",
    )
    return _table(heads, [_day(case) for case in CASES])


def _day(case: Case) -> tuple[str, ...]:
    outcome = simulate(case)
    away = f", away 9:00 to {9 + case.away_hours}:00" if case.away_hours else ""
    waits = [f"{seconds / MINUTE:.1f} min" for seconds in outcome.waited]
    late = f"{outcome.late_until // 3600:.0f}:{outcome.late_until // 60 % 60:02.0f}" if outcome.late_until else "never"
    case_of = (f"{case.clinics:,}", str(case.replicas), f"{case.answer_seconds} s{away}")
    return (*case_of, f"{outcome.busy:.0%}", *waits, late, f"{outcome.busiest:.0f}")


def _scaled(clinics: int) -> tuple[str, ...]:
    enough = replicas(clinics)
    numbers = (enough.gateway, enough.patients, enough.analytics, enough.sync, enough.admin)
    sessions = (enough.connections, enough.max_connections)
    anew = clinics * CLINIC.records / RATES.records_applied / MINUTE
    return (f"{clinics:,}", f"{clinics * CLINIC.requests:,.0f}", *map(str, numbers + sessions), f"{anew:.1f} min")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ("---:",) * len(heads), *rows))


if __name__ == "__main__":
    sys.stdout.write(f"{by_scale()}\n\n{by_size()}\n\n{by_day()}\n")
