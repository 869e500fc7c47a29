"""What became of dead letters that were sent on their way again: docs/decisions/0022-dead-letters.md."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE redriven_letters (
            organization_id text COLLATE "C" NOT NULL,
            id uuid NOT NULL,
            redrive_id uuid NOT NULL,
            letter_id uuid NOT NULL,
            queue text NOT NULL,
            redriven_at timestamptz NOT NULL DEFAULT now(),
            state text NOT NULL DEFAULT 'sending',
            reason text,
            settled_at timestamptz,
            PRIMARY KEY (organization_id, id)
        )
    """)
    op.execute("CREATE INDEX ON redriven_letters (organization_id, redrive_id)")
    op.execute("CREATE INDEX ON redriven_letters (organization_id, redriven_at)")
    separate_tenants("redriven_letters")
