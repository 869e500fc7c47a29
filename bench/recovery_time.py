"""`make bench-recovery`: how long a backup and its restore take, at two sizes (CLINICS=20: the larger one).

What `routiq backup` and `routiq restore` do, on a PostgreSQL as `routiq up` starts it, filled as by `make bench-reads`:
the tables of patients and analytics. docs/recovery.md computes with the rate at the larger size.
"""

import asyncio
import os
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from read_clinics import clinics
from read_loading import loader
from routiq import discovery
from routiq.plan import PASSED_ON, WITH_A_DATABASE, Plan, as_role
from routiq.ports import free_port
from routiq.processes import running
from routiq.recovery.backup import back_up
from routiq.recovery.manifest import DUMP
from routiq.recovery.restore import restore
from routiq.recovery.server import server_of
from routiq.servers.binaries import forget_copy
from routiq.settings import PORTS, Settings
from routiq.state import StateDirectory


def plan_in(home: Path) -> Plan:
    """Of a system nothing of which runs."""
    given = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    settings = Settings({name: free_port() for name in PORTS}, given, postgres=None, broker="embedded")
    state = StateDirectory(home / "state")
    state.create()
    secrets = state.secrets(WITH_A_DATABASE)
    return Plan(settings, secrets, discovery.find(settings, secrets, state), state)


async def measure(home: Path, number: int) -> tuple[int, int, float, float]:
    """Patients, the backup's bytes, and the seconds of backup and restore."""
    plan = plan_in(home)
    known = clinics(number)
    try:
        async with running(plan.program("postgres"), plan.program("migrations"), logs=plan.state.logs):
            roles = (
                as_role(plan.owner_url, f"routiq_{n}", plan.secrets.role_passwords[n])
                for n in ("patients", "analytics")
            )
            async with loader(plan.owner_url, *roles, with_baseline=False) as loading:
                await loading.load(known, lambda _: None)
            async with server_of(plan, is_up=True) as server:
                began = time.perf_counter()
                place = await back_up(server, home / "backups")
                copied = time.perf_counter()
                await restore(plan, server, place)
                restored = time.perf_counter()
        return (
            sum(clinic.patients for clinic in known),
            (place / DUMP).stat().st_size,
            copied - began,
            restored - copied,
        )
    finally:
        forget_copy(plan.state.path / "postgres")


def main() -> None:
    """A table; needs some hundred megabytes of disk."""
    largest = int(os.environ.get("CLINICS", "20"))
    table = Table("Patients", "Backup, MB", "Bytes a patient", "Backup, s", "Restore, s", "Patients/s restored")
    for number in (largest // 4, largest):
        with tempfile.TemporaryDirectory(prefix="routiq-bench-") as home:
            patients, size, copied, restored = asyncio.run(measure(Path(home), number))
        sizes = f"{patients:,}", f"{size / 1e6:.1f}", f"{size / patients:,.0f}"
        table.add_row(*sizes, f"{copied:.1f}", f"{restored:.1f}", f"{patients / restored:,.0f}")
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
