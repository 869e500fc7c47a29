"""What the commands print."""

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from routiq.client import Answer
from routiq.state import ProcessRecord, Record

out = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

FIGURES = {
    "total_patients": "Patients",
    "active_patients": "Active",
    "patients_with_recent": "With recent",
    "patients_with_upcoming": "With upcoming",
    "total_recent_appointments": "Recent appointments",
    "total_upcoming_appointments": "Upcoming appointments",
    "total_all_appointments": "Appointments",
    "avg_total_per_patient": "Per active patient",
    "engagement_rate": "Engagement %",
    "sync_percentage": "Synced %",
    "last_sync_time": "Last sync",
    "integration_status": "Cliniko",
}
MOMENTS, MOMENT = ("last_sync_time", "started_at"), "%d %b %H:%M:%S"
ACTIVITY = {
    "started_at": "Started",
    "operation_type": "What",
    "status": "Status",
    "records_processed": "Records",
    "records_failed": "Failed",
}


def steps(record: Record | None) -> RenderableType:
    """The start of the system as it goes on."""
    table = Table.grid(padding=(0, 2))
    for process in record.processes if record else ():
        table.add_row(_mark(process), process.name, _lasted(process), f"port {process.port}" if process.port else "")
    return Group(Text(f"{record.postgres} · {record.broker}" if record else "…", style="dim"), table)


def _mark(process: ProcessRecord) -> RenderableType:
    match process.state:
        case "ready" | "done":
            return Text("✓", style="green")
        case "restarting" | "stopped":
            return Text("✗", style="red")
        case "waiting":
            return Text("·", style="dim")
        case _:
            return Spinner("dots", style="cyan")


def _lasted(process: ProcessRecord) -> str:
    if not process.since:
        return ""
    return f"{process.ready_seconds if process.ready_seconds is not None else time.time() - process.since:.1f} s"


def processes(record: Record) -> Table:
    table = Table("Process", "Pid", "Port", "State", "Since", "Log", caption="The logs are in .routiq/logs.")
    supervisor = record.phase if record.supervisor.alive() else "ended"
    table.add_row("supervisor", str(record.supervisor.number), "", supervisor, "", "")
    for process in record.processes:
        alive = process.pid is not None and process.pid.alive()
        state = process.state if alive or process.state in ("done", "stopped", "waiting") else "ended"
        since = time.strftime(MOMENT, time.localtime(process.since)) if process.since else ""
        pid = str(process.pid.number) if process.pid and alive else ""
        table.add_row(process.name, pid, str(process.port or ""), state, since, Path(process.log).name)
    return table


def dashboards(answers: Mapping[str, Answer]) -> Table:
    """One column for each clinic."""
    table = Table("", *answers)
    for key, label in FIGURES.items():
        table.add_row(label, *(_figure(key, answer["summary"].get(key)) for answer in answers.values()))
    return table


def activity(runs: Iterable[Answer]) -> Table:
    table = Table(*ACTIVITY.values(), title="Recent activity")
    for run in runs:
        table.add_row(*(_figure(key, run.get(key)) for key in ACTIVITY))
    return table


def _figure(key: str, value: object) -> str:
    if value is None:
        return "-"
    if key in MOMENTS:
        return datetime.fromisoformat(str(value)).astimezone().strftime(MOMENT)
    return str(value)
