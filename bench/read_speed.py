"""`make bench-reads`: lists and figures read from patients and analytics, beside a baseline, in one PostgreSQL.

A thousand clinics with a million patients and five million appointments (CLINICS=10: a small system) are loaded in
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
from dataclasses import dataclass
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

ROUNDS = 3


@dataclass(frozen=True)
class Bench:
    """What runs, a directory for wrk's scripts, and the least seconds of a round."""

    system: System
    home: Path
    seconds: int

    async def grow(self, loading: Loader, known: Sequence[Clinic]) -> dict[int, dict[str, Rounds]]:
        """Load step by step; at each, measure what is most often asked."""
        grown, loaded = {}, 0
        with progress() as bar:
            task = bar.add_task("Loading", total=2 * sum(clinic.patients for clinic in known))
            for step in steps(known):
                await loading.load(step, lambda clinic: bar.advance(task, clinic.patients))
                loaded += len(step)
                cases = active_list(known[:loaded]), dashboard(known[:loaded])
                grown[loaded] = {case.name: (await self.measure(case, [case.service]))[0] for case in cases}
        return grown

    async def beside_baseline(self, cases: Sequence[Case]) -> dict[str, tuple[Rounds, Rounds]]:
        """The same answers first, then how fast they come."""
        results = {}
        with progress() as bar:
            for case in bar.track(cases, description="Measuring"):
                equal = await compare(case, self.system)
                bar.console.print(f"{case.name}: {equal:,} patients or figures equal the baseline's", style="dim")
                ours, theirs = await self.measure(case, [case.service, BASELINE])
                results[case.name] = ours, theirs
        return results

    async def measure(self, case: Case, servers: Sequence[str]) -> Sequence[Rounds]:
        """Of each server, in turn."""
        loads = [load(case, server, self.system, self.home) for server in servers]
        seconds = [max(self.seconds, await one.warm_up()) for one in loads]
        rounds = [[await one.measure(long) for one, long in zip(loads, seconds, strict=True)] for _ in range(ROUNDS)]
        return [[measured[server] for measured in rounds] for server in range(len(servers))]


async def run(home: Path, known: Sequence[Clinic], shared_buffers: str) -> None:
    """Load, measure, and print each part once it is known."""
    async with started(home, shared_buffers) as system:
        bench = Bench(system, home, seconds=4 if len(known) >= 100 else 2)
        addresses = system.owner_url, system.role_url("patients"), system.role_url("analytics")
        async with loader(*addresses, with_baseline=True) as loading:
            report.curve(await bench.grow(loading, known))
            services = ((of_patients, loading.patients), (of_analytics, loading.analytics))
            report.applying({one.service: await apply(one, database) for one, database in services})
            results = await bench.beside_baseline(await all_cases(known, system))
            report.beside_baseline(results)
            report.out.print(f"active-list/baseline: {report.ratio(*results['active list']):.2f}")


def progress() -> Progress:
    """How far, how long it took and how long it will."""
    description = TextColumn("{task.description}")
    times = TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("left")
    return Progress(description, BarColumn(), MofNCompleteColumn(), *times, console=Console(stderr=True))


def main() -> None:
    """Needs wrk, and for all clinics 12 GB of disk, which are free again at the end."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    known = clinics(int(os.environ.get("CLINICS", "1000")))
    with tempfile.TemporaryDirectory(prefix="routiq-bench-") as home:
        asyncio.run(run(Path(home), known, os.environ.get("SHARED_BUFFERS", "128MB")))


if __name__ == "__main__":
    main()
