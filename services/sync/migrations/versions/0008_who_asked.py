"""Who started a run, for the audit; nobody: the schedule did."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE runs ADD COLUMN user_id text, ADD COLUMN role text, ADD COLUMN impersonator text")
