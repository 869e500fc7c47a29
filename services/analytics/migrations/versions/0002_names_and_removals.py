"""Names of appointment types and practitioners, and what was removed."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0002"
down_revision = "0001"

NAMES = """
    CREATE TABLE {table} (
        organization_id text COLLATE "C" NOT NULL,
        {key} text COLLATE "C" NOT NULL,
        name text NOT NULL,
        sequence bigint NOT NULL,
        PRIMARY KEY (organization_id, {key})
    )
"""
# A late message must not bring back what was removed.
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
    op.execute(NAMES.format(table="appointment_types", key="appointment_type_id"))
    op.execute(NAMES.format(table="practitioners", key="practitioner_id"))
    op.execute(REMOVALS)
    separate_tenants("appointment_types", "practitioners", "removals")
