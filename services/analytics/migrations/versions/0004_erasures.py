"""Patients whom their clinic has had erased: their ids alone, so that no fact of them is kept again."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0004"
down_revision = "0003"

ERASURES = """
    CREATE TABLE erasures (
        organization_id text COLLATE "C" NOT NULL,
        cliniko_patient_id text COLLATE "C" NOT NULL,
        erased_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, cliniko_patient_id)
    )
"""


def upgrade() -> None:
    op.execute(ERASURES)
    separate_tenants("erasures")
