"""Patients whom their clinic has had erased: their ids alone, so that nothing of them is kept again."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0007"
down_revision = "0006"

ERASURES = """
    CREATE TABLE erasures (
        organization_id text NOT NULL,
        cliniko_patient_id text NOT NULL,
        erased_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, cliniko_patient_id)
    )
"""


def upgrade() -> None:
    op.execute(ERASURES)
    separate_tenants("erasures")
