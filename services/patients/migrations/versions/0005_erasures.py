"""Patients whom their clinic has had erased: their ids alone, so that nothing of them is kept again."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0005"
down_revision = "0004"

ERASURES = """
    CREATE TABLE erasures (
        organization_id text COLLATE "C" NOT NULL,
        cliniko_patient_id text COLLATE "C" NOT NULL,
        erased_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, cliniko_patient_id)
    )
"""
PATIENTS_BY_ID = "CREATE INDEX patients_by_id ON patients (organization_id, patient_id)"


def upgrade() -> None:
    op.execute(ERASURES)
    op.execute(PATIENTS_BY_ID)
    separate_tenants("erasures")
