"""Who was shown whose records. Rows are added; the service itself can neither change nor remove one."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0002"
down_revision = "0001"

RECORD_READS = """
    CREATE TABLE record_reads (
        organization_id text COLLATE "C" NOT NULL,
        event_id uuid NOT NULL,
        occurred_at timestamptz NOT NULL,
        request_id text,
        user_id text NOT NULL,
        role text NOT NULL,
        impersonator text,
        route text NOT NULL,
        patient_count integer NOT NULL,
        patient_ids uuid[] NOT NULL,
        PRIMARY KEY (organization_id, event_id)
    )
"""


def upgrade() -> None:
    op.execute(RECORD_READS)
    separate_tenants("record_reads")
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON record_reads FROM routiq_admin")
