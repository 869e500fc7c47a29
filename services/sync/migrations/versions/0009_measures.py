"""How fresh the clinics' data are, and which runs nobody works on: over all clinics, for who watches the system."""

from alembic import op

revision = "0009"
down_revision = "0008"

# Both cross tenants (docs/decisions/0008): they return counts and ages, and name nobody. Clinics that an administrator
# paused, or whose key Cliniko refuses, are counted elsewhere: nothing we do makes their data fresh.
MEASURE_FRESHNESS = """
    CREATE FUNCTION measure_freshness(moment timestamptz, late_after interval)
    RETURNS TABLE (clinics bigint, late bigint, worst_seconds double precision, quantiles double precision[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        SELECT count(*), count(*) FILTER (WHERE fresh_at < moment - late_after),
            coalesce(extract(epoch FROM moment - min(fresh_at)), 0),
            coalesce(
                percentile_cont(ARRAY[0.5, 0.9, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM moment - fresh_at)),
                ARRAY[0, 0, 0]
            )
        FROM schedule JOIN connections USING (organization_id)
        WHERE api_key IS NOT NULL AND credentials_valid AND enabled;
    END
"""
MEASURE_RUNS = """
    CREATE FUNCTION measure_runs(lease interval) RETURNS TABLE (silent bigint, longest_wait_seconds double precision)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        SELECT count(*) FILTER (WHERE status = 'running' AND landed_at IS NULL AND heartbeat_at < now() - lease),
            coalesce(extract(epoch FROM max(now() - started_at) FILTER (WHERE status = 'queued')), 0)
        FROM runs WHERE status IN ('queued', 'running');
    END
"""


def upgrade() -> None:
    for name, function in (("measure_freshness", MEASURE_FRESHNESS), ("measure_runs", MEASURE_RUNS)):
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO routiq_sync")
