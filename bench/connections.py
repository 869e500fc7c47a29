"""How PostgreSQL fares with many connections at work at once: `python bench/connections.py`, for docs/growth.md.

pgbench asks as the patients service does, in its role and under row-level security: the tenant, the first page of the
active list, the event that tells of it, COMMIT, without a pause between two requests. PostgreSQL is the one of
`routiq up`, but for `max_connections`.
"""

import asyncio
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table
from sqlalchemy.engine import make_url

from patients.adapters.lists import _page, _shape
from patients.domain.listing import Listing
from read_clinics import clinics
from read_loading import loader
from recovery_time import plan_in, role
from routiq.processes import running
from routiq.servers.binaries import forget_copy

AT_WORK, ROUNDS, SECONDS, CLINICS = (16, 50, 200, 600), 3, 12, 20
CONNECTING = 15
"""Seconds, which pgbench counts too."""
ROOM = ("-c", "max_connections=650")
WHOSE = "('org_bench_' || lpad(CAST(:clinic AS text), 4, '0'))"
REQUEST = """
\\set clinic random(1, {clinics})
BEGIN;
SELECT set_config('routiq.organization_id', {whose}, true);
{page};
INSERT INTO outbox (event_id, routing_key, body)
    VALUES (gen_random_uuid(), 'patients.records.read.v1', decode(repeat('00', 2000), 'hex'));
COMMIT;
"""


@dataclass(frozen=True)
class Round:
    """Requests a second, milliseconds of the middle one and of the slowest in a hundred, and memory."""

    per_second: float
    median: float
    slowest: float
    megabytes: float
    """Of one connection's process, what it shares with nobody."""


def request() -> str:
    """What pgbench sends: the service's own statement, with its values written into it."""
    listing = Listing(limit=50)
    page = _page(_shape(listing), goes_on=False).compile(dialect=make_url("postgresql+psycopg2://").get_dialect()())
    given = {"organization_id": WHOSE, "now": "now()", "limit": str(listing.limit + 1)}
    values = {name: given.get(name, f"'{value}'") for name, value in page.params.items()}
    return REQUEST.format(clinics=CLINICS, whose=WHOSE, page=str(page) % values)


def ask(pgbench: Path, url: str, number: int) -> list[float]:
    """The milliseconds of every request while all were at work, in order."""
    how = ("--client", str(number), "--jobs", "2", "--time", str(CONNECTING + SECONDS), "--protocol", "prepared")
    with tempfile.TemporaryDirectory(prefix="routiq-bench-") as home:
        Path(home, "request.sql").write_text(request())
        subprocess.run(
            [pgbench, *how, "--no-vacuum", "--log", "--file", "request.sql", url],
            cwd=home,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        logs = [log.read_text().splitlines() for log in Path(home).glob("pgbench_log*")]
    taken = [(int(line[4]) + int(line[5]) / 1e6, int(line[2]) / 1e3) for log in logs for line in map(str.split, log)]
    last = max(taken)[0]
    return sorted(milliseconds for moment, milliseconds in taken if moment > last - SECONDS)


async def measure(pgbench: Path, url: str, owner: asyncpg.Connection, number: int) -> Round:
    """One round."""
    await owner.execute("TRUNCATE patients.outbox; CHECKPOINT")
    asking = asyncio.create_task(asyncio.to_thread(ask, pgbench, url, number))
    await asyncio.sleep(CONNECTING + SECONDS * 0.8)
    megabytes, taken = await memory(owner), await asking
    return Round(len(taken) / SECONDS, taken[len(taken) // 2], taken[len(taken) * 99 // 100], megabytes)


async def memory(owner: asyncpg.Connection) -> float:
    """The mean over all connections of the service's role."""
    found = await owner.fetch("SELECT pid FROM pg_stat_activity WHERE usename = 'routiq_patients'")
    return statistics.mean(filter(None, (_private(pid) for (pid,) in found)))


def _private(pid: int) -> float:
    """None at all when the process has gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


async def run(home: Path) -> dict[int, list[Round]]:
    """Rounds of every number in turn."""
    plan = plan_in(home)
    postgres = plan.program("postgres")
    enlarged = replace(postgres, command=(*postgres.command, *ROOM))
    patients, analytics = (role(plan, name) for name in ("patients", "analytics"))
    pgbench = Path(postgres.command[0]).with_name("pgbench")
    try:
        async with running(enlarged, plan.program("migrations"), logs=plan.state.logs):
            async with loader(plan.owner_url, patients, analytics, with_baseline=False) as loading:
                await loading.load(clinics(CLINICS), lambda _: None)
            owner = await asyncpg.connect(plan.owner_url)
            url = f"{patients}?options=-csearch_path%3Dpatients"
            rounds = [[await measure(pgbench, url, owner, number) for number in AT_WORK] for _ in range(ROUNDS)]
            await owner.close()
    finally:
        forget_copy(plan.state.path / "postgres")
    return {number: [one[place] for one in rounds] for place, number in enumerate(AT_WORK)}


def row(number: int, rounds: Sequence[Round]) -> list[str]:
    """The median of the rounds, and the range of the first figure."""
    speeds = [one.per_second for one in rounds]
    middle = [statistics.median(getattr(one, name) for one in rounds) for name in ("median", "slowest", "megabytes")]
    spread = f"{statistics.median(speeds):,.0f} ({min(speeds):,.0f} to {max(speeds):,.0f})"
    return [str(number), spread, *(f"{one:,.1f}" for one in middle)]


def main() -> None:
    """A table; needs root or PostgreSQL's account, to see what its processes use."""
    table = Table("At work", "Requests/s", "Median, ms", "99 %, ms", "MB a connection")
    with tempfile.TemporaryDirectory(prefix="routiq-bench-") as home:
        for number, rounds in asyncio.run(run(Path(home))).items():
            table.add_row(*row(number, rounds))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
