"""What `make bench-reads` prints."""

import sys
from collections.abc import Mapping, Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from read_applying import Applied
from read_wrk import CONNECTIONS, Measured

Rounds = Sequence[Measured]
out = Console(width=None if sys.stdout.isatty() else 120)  # into a file or a pipe, nothing is cut off


def beside_baseline(results: Mapping[str, tuple[Rounds, Rounds]]) -> None:
    """By case: the service's rounds and the baseline's."""
    table = Table(
        *("", "req/s", "p50", "p99", "baseline", "p50", "p99", "ratio", "refused"),
        title=f"{CONNECTIONS} connections, milliseconds, medians of {len(next(iter(results.values()))[0])} rounds",
    )
    for name, (ours, theirs) in results.items():
        table.add_row(name, *_numbers(ours), *_numbers(theirs), f"{ratio(ours, theirs):.2f}", _refused(ours, theirs))
    out.print(table)


def curve(results: Mapping[int, Mapping[str, Rounds]]) -> None:
    """By number of clinics and case."""
    table = Table("clinics", "", "req/s", "p50 ms", "p99 ms", title="as the database grows")
    for clinics, cases in results.items():
        for name, rounds in cases.items():
            table.add_row(f"{clinics:,}", name, *_numbers(rounds))
    out.print(table)


def applying(results: Mapping[str, Applied]) -> None:
    """By service, records a second."""
    table = Table("service", "patients/s", "appointments/s", "last events s", "all records/s", title="applying events")
    for service, one in results.items():
        patients, appointments = one.patients / one.patients_seconds, one.appointments / one.appointments_seconds
        parts = f"{patients:,.0f}", f"{appointments:,.0f}", f"{one.closing_seconds:.1f}", f"{one.per_second:,.0f}"
        table.add_row(service, *parts)
    out.print(table)


def ratio(ours: Rounds, theirs: Rounds) -> float:
    """Round by round, for what else the machine does comes and goes."""
    return median(one.per_second / other.per_second for one, other in zip(ours, theirs, strict=True))


def _numbers(rounds: Rounds) -> tuple[str, str, str]:
    per_second = median(one.per_second for one in rounds)
    p50, p99 = median(one.p50 for one in rounds), median(one.p99 for one in rounds)
    return f"{per_second:,.0f}" if per_second >= 100 else f"{per_second:.1f}", f"{p50:.1f}", f"{p99:.1f}"


def _refused(*servers: Rounds) -> str:
    """Requests that each server answered with an error."""
    return " / ".join(str(sum(one.refused for one in rounds)) for rounds in servers)
