"""What a page brought and how far changes were followed; removed records; a run's clock, note and permission."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0003"
down_revision = "0002"

# A removed record keeps its row without a record: its sequence goes on from there, should it come back.
LANDED = """
    ALTER TABLE landed
        ALTER record DROP NOT NULL,
        ADD landed_at timestamptz NOT NULL DEFAULT now()
"""
# Ids of the records a page brought, those created since the run began apart: a whole clinic's sweep is a row for each
# hundred records, and no landed row is written to say that it was seen.
PAGES = """
    ALTER TABLE pages
        ADD kind text NOT NULL DEFAULT '',
        ADD ids text[] NOT NULL DEFAULT '{}',
        ADD late text[] NOT NULL DEFAULT '{}',
        ADD records text[],
        ADD total integer NOT NULL DEFAULT 0,
        ADD newest timestamptz,
        ADD position text
"""
RUNS = """
    ALTER TABLE runs
        ADD source_time timestamptz,
        ADD note text,
        ADD confirm_removals boolean NOT NULL DEFAULT false
"""
UNCONFIRMED = "CREATE INDEX unconfirmed ON landed (organization_id, kind, cliniko_id) WHERE unconfirmed"
CURSORS = """
    CREATE TABLE cursors (
        organization_id text NOT NULL,
        list text NOT NULL,
        moment timestamptz NOT NULL,
        PRIMARY KEY (organization_id, list)
    )
"""


def upgrade() -> None:
    for statement in (LANDED, UNCONFIRMED, PAGES, RUNS, CURSORS):
        op.execute(statement)
    separate_tenants("cursors")
