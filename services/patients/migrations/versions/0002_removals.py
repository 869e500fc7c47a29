"""What was removed, so that a late message does not bring it back."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0002"
down_revision = "0001"

REMOVALS = """
    CREATE TABLE removals (
        organization_id text COLLATE "C" NOT NULL,
        kind text COLLATE "C" NOT NULL CHECK (kind IN ('patient', 'appointment')),
        cliniko_id text COLLATE "C" NOT NULL,
        sequence bigint NOT NULL,
        PRIMARY KEY (organization_id, kind, cliniko_id)
    )
"""


def upgrade() -> None:
    op.execute(REMOVALS)
    separate_tenants("removals")
