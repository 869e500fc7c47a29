"""How many requests each Cliniko account has used, counted by all processes together.

Not a tenant's table: an account is a digest of its key, and two organizations that use one key share its limit.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

ALLOWANCES = """
    CREATE TABLE allowances (
        account bytea PRIMARY KEY,
        spent jsonb NOT NULL DEFAULT '{}',
        not_before double precision NOT NULL DEFAULT 0
    ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200)
"""


def upgrade() -> None:
    op.execute(ALLOWANCES)
