"""A worker that has died is known to be dead at once: the lock that its process held is free."""

from alembic import op

revision = "0005"
down_revision = "0004"

# The lock's number is made of the first half of the worker's id. Only replicas that have shown themselves are judged.
RELEASE_ORPHANS = """
    CREATE FUNCTION release_orphans() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        UPDATE runs SET worker = NULL, heartbeat_at = '-infinity'
        WHERE status = 'running' AND landed_at IS NULL AND EXISTS (SELECT FROM beats WHERE replica = worker)
          AND NOT EXISTS (
              SELECT FROM pg_locks
              WHERE locktype = 'advisory' AND objsubid = 1
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND (classid::bigint << 32) | objid::bigint
                    = ('x' || left(replace(worker::text, '-', ''), 16))::bit(64)::bigint
          );
    END
"""


def upgrade() -> None:
    op.execute(RELEASE_ORPHANS)
    op.execute("REVOKE ALL ON FUNCTION release_orphans FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION release_orphans TO routiq_sync")
