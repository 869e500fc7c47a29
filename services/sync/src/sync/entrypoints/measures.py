"""What Prometheus learns of runs and schedule.

The figures are of all clinics together and equal on every replica: take the maximum, not the sum.
"""

from datetime import datetime, timedelta

from prometheus_client import Gauge
from sqlalchemy.ext.asyncio import AsyncConnection

from sync.adapters.replicas import (
    QUANTILES,
    count_runs,
    last_beat,
    measure_freshness,
    measure_runs,
    measure_schedule,
)

RUNS = Gauge("routiq_sync_runs", "Runs at work, and runs that ended in the last 24 hours.", ["mode", "status"])
BEAT = Gauge("routiq_sync_scheduler_beat_seconds", "Unix time of the newest beat of any scheduler.")
UNSERVED = Gauge("routiq_sync_due_clinics", "Clinics whose scheduled run is due and not at work.")
PAUSED = Gauge("routiq_sync_paused_clinics", "Connected clinics whose schedule rests.", ["reason"])
FAILING = Gauge("routiq_sync_failing_clinics", "Clinics left alone for a while because their runs fail.")
SERVED = Gauge("routiq_sync_served_clinics", "Connected clinics, not paused, whose key is good.")
LATE = Gauge("routiq_sync_late_clinics", "Those of them whose data are more than two hours old.")
STALEST = Gauge("routiq_sync_stalest_clinic_seconds", "Age of the oldest data of one of them.")
AGE = Gauge("routiq_sync_data_age_seconds", "Age of their data: this part of them has younger data.", ["quantile"])
SILENT = Gauge(
    "routiq_sync_silent_runs", "Runs at work without a beat for longer than a lease, which nobody took over."
)
LONGEST_WAIT = Gauge("routiq_sync_longest_wait_seconds", "For how long a run has been queued that nobody took up.")

REACH, LATE_AFTER = timedelta(days=1), timedelta(hours=2)
"""Two hours: the schedule has missed a clinic twice."""


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
    await _take_freshness(connection, moment)
    silent, longest_wait = await measure_runs(connection)
    SILENT.set(silent)
    LONGEST_WAIT.set(longest_wait)


async def _take_freshness(connection: AsyncConnection, moment: datetime) -> None:
    freshness = await measure_freshness(connection, moment, LATE_AFTER)
    SERVED.set(freshness.clinics)
    LATE.set(freshness.late)
    STALEST.set(freshness.worst)
    for quantile, seconds in zip(QUANTILES, freshness.quantiles, strict=True):
        AGE.labels(quantile).set(seconds)
