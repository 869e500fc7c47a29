"""Connections, runs with their checkpoints and batches, landed records."""

from alembic import op

from chassis.migrations import create_outbox_and_inbox, separate_tenants

revision = "0001"
down_revision = None

CONNECTIONS = """
    CREATE TABLE connections (
        organization_id text PRIMARY KEY,
        api_key bytea,
        region text,
        credentials_valid boolean NOT NULL,
        revision integer NOT NULL DEFAULT 1,
        changed_at timestamptz NOT NULL DEFAULT now()
    )
"""
RUNS = """
    CREATE TABLE runs (
        organization_id text NOT NULL,
        sync_id text NOT NULL,
        request_id text,
        mode text NOT NULL,
        status text NOT NULL DEFAULT 'queued',
        revision integer NOT NULL DEFAULT 1,
        completed_steps integer NOT NULL DEFAULT 0,
        started_at timestamptz NOT NULL,
        completed_at timestamptz,
        landed_at timestamptz,
        records_total integer,
        patients_landed integer NOT NULL DEFAULT 0,
        appointments_landed integer NOT NULL DEFAULT 0,
        records_confirmed integer NOT NULL DEFAULT 0,
        records_rejected integer NOT NULL DEFAULT 0,
        patients_reported integer,
        failure text,
        closing_id uuid,
        attempts integer NOT NULL DEFAULT 0,
        worker uuid,
        heartbeat_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (organization_id, sync_id)
    )
"""
ONE_RUN_PER_CLINIC = "CREATE UNIQUE INDEX one_run ON runs (organization_id) WHERE status IN ('queued', 'running')"
WAITING_RUNS = "CREATE INDEX waiting_runs ON runs (heartbeat_at) WHERE status IN ('queued', 'running')"
PAGES = """
    CREATE TABLE pages (
        organization_id text NOT NULL,
        sync_id text NOT NULL,
        path text NOT NULL,
        number integer NOT NULL,
        rows integer NOT NULL,
        mapped integer NOT NULL,
        rejected integer NOT NULL,
        PRIMARY KEY (organization_id, sync_id, path, number)
    )
"""
BATCHES = """
    CREATE TABLE batches (
        organization_id text NOT NULL,
        sync_id text NOT NULL,
        batch_id uuid NOT NULL,
        records integer NOT NULL,
        awaiting text[] NOT NULL,
        PRIMARY KEY (organization_id, sync_id, batch_id)
    )
"""
LANDED = """
    CREATE TABLE landed (
        organization_id text NOT NULL,
        kind text NOT NULL,
        cliniko_id text NOT NULL,
        sequence bigint NOT NULL,
        record jsonb NOT NULL,
        batch_id uuid NOT NULL,
        unconfirmed boolean NOT NULL DEFAULT false,
        PRIMARY KEY (organization_id, kind, cliniko_id)
    )
"""
REJECTED = """
    CREATE TABLE rejected (
        organization_id text NOT NULL,
        kind text NOT NULL,
        cliniko_id text NOT NULL,
        sync_id text NOT NULL,
        reason text NOT NULL,
        PRIMARY KEY (organization_id, kind, cliniko_id)
    )
"""
# A worker looks for work among all clinics; these two functions are all it may see and do across them.
CLAIM = """
    CREATE FUNCTION claim_run(claiming uuid, lease interval, patience interval)
    RETURNS TABLE (organization_id text, sync_id text)
    LANGUAGE sql SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        UPDATE runs SET status = 'running', worker = claiming, heartbeat_at = now(), attempts = attempts + 1,
            revision = revision + 1
        WHERE (runs.organization_id, runs.sync_id) = (
            SELECT waiting.organization_id, waiting.sync_id FROM runs AS waiting
            WHERE waiting.status = 'queued'
               OR waiting.status = 'running'
                  AND waiting.heartbeat_at < now() - CASE WHEN waiting.landed_at IS NULL THEN lease ELSE patience END
            ORDER BY waiting.heartbeat_at LIMIT 1 FOR UPDATE SKIP LOCKED
        )
        RETURNING runs.organization_id, runs.sync_id;
    END
"""
RELEASE = """
    CREATE FUNCTION release_runs(releasing uuid) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = sync, pg_temp
    BEGIN ATOMIC
        UPDATE runs SET worker = NULL, heartbeat_at = '-infinity'
        WHERE worker = releasing AND status = 'running' AND landed_at IS NULL;
    END
"""


def upgrade() -> None:
    create_outbox_and_inbox()
    for statement in (CONNECTIONS, RUNS, ONE_RUN_PER_CLINIC, WAITING_RUNS, PAGES, BATCHES, LANDED, REJECTED):
        op.execute(statement)
    op.execute("CREATE SEQUENCE landing_sequence")
    separate_tenants("connections", "runs", "pages", "batches", "landed", "rejected")
    for function, name in ((CLAIM, "claim_run"), (RELEASE, "release_runs")):
        op.execute(function)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO routiq_sync")
