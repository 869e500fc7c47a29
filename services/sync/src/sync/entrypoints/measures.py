"""What Prometheus learns of runs and schedule.

The figures are of all clinics together and equal on every replica: take the maximum, not the sum.
"""

from datetime import datetime, timedelta

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.adapters.replicas import count_runs, last_beat, measure_schedule

RUNS = Gauge("routiq_sync_runs", "Runs at work, and runs that ended in the last 24 hours.", ["mode", "status"])
BEAT = Gauge("routiq_sync_scheduler_beat_seconds", "Unix time of the newest beat of any scheduler.")
UNSERVED = Gauge("routiq_sync_due_clinics", "Clinics whose scheduled run is due and not at work.")
PAUSED = Gauge("routiq_sync_paused_clinics", "Connected clinics whose schedule rests.", ["reason"])
FAILING = Gauge("routiq_sync_failing_clinics", "Clinics left alone for a while because their runs fail.")
STALEST = Gauge("routiq_sync_stalest_clinic_seconds", "Age of the oldest data of a connected clinic not paused.")

REACH = timedelta(days=1)


async def take(connection: AsyncConnection, moment: datetime) -> None:
    """Set every gauge to how it stands at `moment`."""
    runs, figures = await count_runs(connection, moment - REACH), await measure_schedule(connection, moment)
    RUNS.clear()
    for (mode, status), count in runs.items():
        RUNS.labels(mode, status).set(count)
    if last := await last_beat(connection):
        BEAT.set(last.timestamp())
    UNSERVED.set(figures.unserved)
    PAUSED.labels("paused_by_administrator").set(figures.paused)
    PAUSED.labels("credentials_refused").set(figures.refused)
    FAILING.set(figures.failing)
    STALEST.set(figures.stalest_seconds)
