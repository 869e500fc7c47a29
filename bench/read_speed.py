"""`make bench-reads`: lists and figures read from patients and analytics, beside a baseline, in one PostgreSQL.

A thousand clinics with a million patients and five million appointments (CLINICS=10: a minute's worth) are loaded in
steps; the curve is measured at each. The services are asked directly, with identities signed as the gateway signs them:
its own cost is `make bench-gateway`'s. Nothing is pinned to a core: PostgreSQL, the server and wrk share what there is.
SHARED_BUFFERS (default 128MB, PostgreSQL's own default, as `routiq up` starts it) tells PostgreSQL how much to keep.
"""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import read_report as report
from analytics.entrypoints.consumers import consumers as of_analytics
from patients.entrypoints.consumers import consumers as of_patients
from read_applying import apply
from read_cases import Case, active_list, all_cases, compare, dashboard, load
from read_clinics import Clinic, clinics, steps
from read_loading import Loader, loader
from read_report import Rounds
from read_system import BASELINE, System, started
from read_wrk import Measured

ROUNDS, SECONDS, SECONDS_OF_SLOW, WARM_UP_SECONDS = 3, 4, 10, 1


async def run(home: Path, known: Sequence[Clinic], shared_buffers: str) -> None:
    """Load and measure; prints as it goes."""
    async with started(home, shared_buffers) as system:
        addresses = system.owner_url, system.role_url("patients"), system.role_url("analytics")
        async with loader(*addresses, with_baseline=True) as loading:
            grown = await grow(loading, known, system, home)
            results = await beside_baseline(await all_cases(known, system), system, home)
            services = ((of_patients, loading.patients), (of_analytics, loading.analytics))
            applied = {consumers.service: await apply(consumers, database) for consumers, database in services}
    report.curve(grown)
    report.applying(applied)
    report.beside_baseline(results)
    report.out.print(f"active-list/baseline: {report.ratio(*results['active list']):.2f}")


async def grow(loading: Loader, known: Sequence[Clinic], system: System, home: Path) -> dict[int, dict[str, Rounds]]:
    """Step by step; what is most often asked, at each."""
    grown, loaded = {}, 0
    with progress() as bar:
        task = bar.add_task("Loading patients", total=sum(clinic.patients for clinic in known))
        for step in steps(known):
            await loading.load(step, lambda clinic: bar.advance(task, clinic.patients))
            loaded += len(step)
            cases = active_list(known[:loaded]), dashboard(known[:loaded])
            grown[loaded] = {case.name: (await measure(case, [case.service], system, home))[0] for case in cases}
    return grown


async def beside_baseline(cases: Sequence[Case], system: System, home: Path) -> dict[str, tuple[Rounds, Rounds]]:
    """The same answers first, then how fast they come."""
    results = {}
    with progress() as bar:
        for case in bar.track(cases, description="Measuring"):
            equal = await compare(case, system)
            bar.console.print(f"{case.name}: {equal:,} patients or figures are equal to the baseline's", style="dim")
            ours, theirs = await measure(case, [case.service, BASELINE], system, home)
            results[case.name] = ours, theirs
    return results


async def measure(case: Case, servers: Sequence[str], system: System, home: Path) -> Sequence[Rounds]:
    """Of each server, in turn."""
    loads = [load(case, server, system, home) for server in servers]
    rounds: list[list[Measured]] = [[] for _ in servers]
    for _ in range(ROUNDS):
        for one, measured in zip(loads, rounds, strict=True):
            await one.measure(WARM_UP_SECONDS)
            measured.append(await one.measure(SECONDS_OF_SLOW if case.slow else SECONDS))
    return rounds


def progress() -> Progress:
    """How far, how long it took and how long it will."""
    description = TextColumn("{task.description}")
    times = TimeElapsedColumn(), TextColumn("of"), TimeRemainingColumn()
    return Progress(description, BarColumn(), MofNCompleteColumn(), *times, console=Console(stderr=True))


def main() -> None:
    """Needs wrk, and for all clinics 8 GB of disk, which are free again at the end."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    known = clinics(int(os.environ.get("CLINICS", "1000")))
    with tempfile.TemporaryDirectory(prefix="routiq-bench-") as home:
        asyncio.run(run(Path(home), known, os.environ.get("SHARED_BUFFERS", "128MB")))


if __name__ == "__main__":
    main()
