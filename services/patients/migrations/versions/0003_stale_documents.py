"""Which documents are to be made anew before they are read: a page of records marks them, and makes none."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0003"
down_revision = "0002"

STALE_DOCUMENTS = """
    CREATE TABLE stale_documents (
        organization_id text COLLATE "C" NOT NULL,
        cliniko_patient_id text COLLATE "C" NOT NULL,
        PRIMARY KEY (organization_id, cliniko_patient_id)
    )
"""


def upgrade() -> None:
    op.execute(STALE_DOCUMENTS)
    separate_tenants("stale_documents")
