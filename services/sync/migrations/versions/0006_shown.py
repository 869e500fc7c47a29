"""Beside a cursor, the newest rows that were followed to another list: shown again, they are not followed again."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE cursors ADD COLUMN shown text[] NOT NULL DEFAULT '{}'")
