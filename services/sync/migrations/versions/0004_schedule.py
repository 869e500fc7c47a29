"""The schedule, runs that take turns, replicas that show they are there, keys that can be sealed anew."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0004"
down_revision = "0003"

RUNS = """
    ALTER TABLE runs
        ADD COLUMN scheduled boolean NOT NULL DEFAULT false,
        ADD COLUMN turns integer NOT NULL DEFAULT 0,
        ADD COLUMN began_at timestamptz
"""
NEWEST_RUNS = "CREATE INDEX newest_runs ON runs (organization_id, started_at DESC)"
ENDED_RUNS = "CREATE INDEX ended_runs ON runs (completed_at) WHERE completed_at IS NOT NULL"
CONNECTIONS = "ALTER TABLE connections ADD COLUMN key_number integer NOT NULL DEFAULT 1"
SCHEDULE = """
    CREATE TABLE schedule (
        organization_id text PRIMARY KEY,
        enabled boolean NOT NULL DEFAULT true,
        incremental_due timestamptz NOT NULL,
        comprehensive_due timestamptz NOT NULL,
        failures integer NOT NULL DEFAULT 0,
        not_before timestamptz,
        leased_until timestamptz NOT NULL DEFAULT '-infinity',
        served_at timestamptz NOT NULL DEFAULT '-infinity',
        fresh_at timestamptz NOT NULL DEFAULT now()
    )
"""
DUE_CLINICS = "CREATE INDEX due_clinics ON schedule (least(incremental_due, comprehensive_due)) WHERE enabled"
ENROL_THE_CONNECTED = """
    INSERT INTO schedule (organization_id, incremental_due, comprehensive_due)
    SELECT organization_id, due, due
    FROM connections, LATERAL (SELECT now() + random() * interval '1 hour' AS due) AS spread
"""
BEATS = """
    CREATE TABLE beats (
        replica uuid PRIMARY KEY,
        scheduling boolean NOT NULL,
        key_ids text[] NOT NULL,
        beat_at timestamptz NOT NULL
    )
"""

# What follows crosses tenants (docs/decisions/0008): it returns ids, counts and ages, never a clinic's data.
WAITS = """
    CREATE FUNCTION waits(run runs, lease interval, patience interval) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN run.status = 'queued' OR run.status = 'running'
        AND run.heartbeat_at < now() - CASE WHEN run.landed_at IS NULL THEN lease ELSE patience END
"""
# User-started runs come first, but for their first turn only: a long one then takes turns with all others.
CLAIM_RUN = """
    CREATE FUNCTION claim_run(claiming uuid, lease interval, patience interval, newcomers_only boolean)
    RETURNS TABLE (organization_id text, sync_id text, turns integer)
    LANGUAGE sql SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        WITH claimed AS (
            UPDATE runs SET status = 'running', worker = claiming, heartbeat_at = now(), attempts = attempts + 1,
                revision = revision + 1, began_at = coalesce(began_at, now())
            WHERE (runs.organization_id, runs.sync_id) = (
                SELECT waiting.organization_id, waiting.sync_id
                FROM runs AS waiting LEFT JOIN schedule USING (organization_id)
                WHERE waits(waiting, lease, patience) AND NOT (newcomers_only AND waiting.turns > 0)
                ORDER BY waiting.scheduled OR waiting.turns > 0, schedule.served_at NULLS FIRST, waiting.heartbeat_at
                LIMIT 1 FOR UPDATE OF waiting SKIP LOCKED
            )
            RETURNING runs.organization_id, runs.sync_id, runs.turns
        ), served AS (
            UPDATE schedule SET served_at = now() FROM claimed
            WHERE schedule.organization_id = claimed.organization_id
        )
        SELECT claimed.organization_id, claimed.sync_id, claimed.turns FROM claimed;
    END
"""
ANY_RUN_WAITS = """
    CREATE FUNCTION any_run_waits(lease interval, patience interval) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        SELECT EXISTS (SELECT 1 FROM runs WHERE waits(runs, lease, patience));
    END
"""
CLAIM_DUE = """
    CREATE FUNCTION claim_due(moment timestamptz, lease interval, most integer)
    RETURNS TABLE (organization_id text)
    LANGUAGE sql SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        UPDATE schedule SET leased_until = moment + lease
        WHERE schedule.organization_id IN (
            SELECT due.organization_id FROM schedule AS due JOIN connections USING (organization_id)
            WHERE due.enabled AND connections.api_key IS NOT NULL AND connections.credentials_valid
              AND least(due.incremental_due, due.comprehensive_due) <= moment
              AND (due.not_before IS NULL OR due.not_before <= moment) AND due.leased_until <= moment
              AND NOT EXISTS (
                  SELECT 1 FROM runs
                  WHERE runs.organization_id = due.organization_id AND runs.status IN ('queued', 'running')
              )
            ORDER BY due.served_at LIMIT most FOR UPDATE OF due SKIP LOCKED
        )
        RETURNING schedule.organization_id;
    END
"""
COUNT_RUNS = """
    CREATE FUNCTION count_runs(since timestamptz) RETURNS TABLE (mode text, status text, runs bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        SELECT counted.mode, counted.status, count(*) FROM runs AS counted
        WHERE counted.status IN ('queued', 'running') OR counted.completed_at >= since
        GROUP BY counted.mode, counted.status;
    END
"""
MEASURE_SCHEDULE = """
    CREATE FUNCTION measure_schedule(moment timestamptz)
    RETURNS TABLE (unserved bigint, paused bigint, refused bigint, failing bigint, stalest_seconds double precision)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        SELECT
            count(*) FILTER (
                WHERE enabled AND credentials_valid AND least(incremental_due, comprehensive_due) <= moment
                  AND (not_before IS NULL OR not_before <= moment)
                  AND NOT EXISTS (
                      SELECT 1 FROM runs
                      WHERE runs.organization_id = schedule.organization_id AND runs.status = 'running'
                  )
            ),
            count(*) FILTER (WHERE NOT enabled),
            count(*) FILTER (WHERE NOT credentials_valid),
            count(*) FILTER (WHERE failures > 0),
            coalesce(max(extract(epoch FROM moment - fresh_at)) FILTER (WHERE enabled), 0)
        FROM schedule JOIN connections USING (organization_id)
        WHERE api_key IS NOT NULL;
    END
"""
SEALED_BY = """
    CREATE FUNCTION sealed_by(envelope bytea) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN convert_from(substring(envelope FROM 3 FOR get_byte(envelope, 1)), 'UTF8')
"""
SEALED_OTHERWISE = """
    CREATE FUNCTION sealed_otherwise(key_id text, after text, most integer) RETURNS TABLE (organization_id text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        SELECT stale.organization_id FROM connections AS stale
        WHERE stale.api_key IS NOT NULL AND stale.organization_id > after AND sealed_by(stale.api_key) <> key_id
        ORDER BY stale.organization_id LIMIT most;
    END
"""
COUNT_SEALED_OTHERWISE = """
    CREATE FUNCTION count_sealed_otherwise(key_id text) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        SELECT count(*) FROM connections WHERE api_key IS NOT NULL AND sealed_by(api_key) <> key_id;
    END
"""
FUNCTIONS = {
    "waits": WAITS,
    "claim_run": CLAIM_RUN,
    "any_run_waits": ANY_RUN_WAITS,
    "claim_due": CLAIM_DUE,
    "count_runs": COUNT_RUNS,
    "measure_schedule": MEASURE_SCHEDULE,
    "sealed_by": SEALED_BY,
    "sealed_otherwise": SEALED_OTHERWISE,
    "count_sealed_otherwise": COUNT_SEALED_OTHERWISE,
}


def upgrade() -> None:
    for statement in (RUNS, NEWEST_RUNS, ENDED_RUNS, CONNECTIONS, SCHEDULE, DUE_CLINICS, ENROL_THE_CONNECTED, BEATS):
        op.execute(statement)
    separate_tenants("schedule")
    op.execute("DROP FUNCTION claim_run")
    for name, function in FUNCTIONS.items():
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO routiq_sync")
