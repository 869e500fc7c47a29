"""How the service's database and outbox stand, asked every few seconds.

Size, sessions and their limit are the whole server's and the outbox is shared by all replicas: take the maximum.
"""

import asyncio

from prometheus_client import Gauge
from sqlalchemy import text

from chassis.database import Database
from chassis.metrics import turned

UP = Gauge("routiq_database_up", "1 when the database answered the last time it was asked.")
USED = Gauge("routiq_database_connections_used", "Connections of this process that are in use.")
LIMIT = Gauge("routiq_database_connections_limit", "Transactions of this process that may go on at once.")
SESSIONS = Gauge("routiq_database_sessions", "Sessions of all programs on the server.")
SESSIONS_LIMIT = Gauge("routiq_database_sessions_limit", "Sessions the server allows.")
SIZE = Gauge("routiq_database_size_bytes", "Of the whole database.")
OLDEST_TRANSACTION = Gauge("routiq_database_oldest_transaction_seconds", "Age of this service's oldest transaction.")
OUTBOX = Gauge("routiq_outbox_waiting", "Events that wait to be published, counted up to 100,000.")
OUTBOX_OLDEST = Gauge("routiq_outbox_oldest_seconds", "Since the oldest of them was announced; 0 without one.")

MEASURE_SECONDS, PATIENCE_SECONDS = 10.0, 5.0

_OUTBOX = text("""
    SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT 100000) AS counted),
        coalesce((SELECT extract(epoch FROM now() - created_at) FROM outbox ORDER BY id LIMIT 1), 0)
""")
_SERVER = text("""
    SELECT pg_database_size(current_database()), count(*), current_setting('max_connections')::int,
        coalesce(extract(epoch FROM max(now() - xact_start) FILTER (WHERE usename = current_user)), 0)
    FROM pg_stat_activity
""")


async def keep_measuring(database: Database) -> None:
    """Measure, rest, measure again. Raises when the database does not answer."""
    while True:
        used, limit = database.connections
        USED.set(used)
        LIMIT.set(limit)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await measure(database)
        except Exception:
            UP.set(0)
            raise
        UP.set(1)
        turned("database", MEASURE_SECONDS)
        await asyncio.sleep(MEASURE_SECONDS)


async def measure(database: Database) -> None:
    """Set every gauge to how it stands now."""
    async with database.transaction() as connection:
        waiting, oldest = (await connection.execute(_OUTBOX)).one()
        size, sessions, sessions_limit, transaction = (await connection.execute(_SERVER)).one()
    for gauge, value in (
        (OUTBOX, waiting),
        (OUTBOX_OLDEST, oldest),
        (SIZE, size),
        (SESSIONS, sessions),
        (SESSIONS_LIMIT, sessions_limit),
        (OLDEST_TRANSACTION, transaction),
    ):
        gauge.set(float(value))
