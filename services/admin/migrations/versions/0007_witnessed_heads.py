"""How far each chain had come when it was last found whole, and no entry before a chain's beginning."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0007"
down_revision = "0006"
contracts = ('admin.audit_entries CHECK (("position" > 0)) NOT VALID',)
"""Positions have always counted from 1."""

# Without a foreign key: what is witnessed must outlive what it speaks of.
AUDIT_WITNESSES = """
    CREATE TABLE audit_witnesses (
        organization_id text COLLATE "C" PRIMARY KEY,
        position bigint NOT NULL,
        hash bytea NOT NULL,
        anchor_position bigint NOT NULL,
        anchor_hash bytea NOT NULL,
        witnessed_at timestamptz NOT NULL DEFAULT now()
    )
"""
GRANTS = (
    "REVOKE ALL ON audit_witnesses FROM routiq_admin",
    "GRANT SELECT, INSERT, UPDATE ON audit_witnesses TO routiq_admin",
)
# Not validated, which would go through the whole table with everybody locked out: verifying looks for what was there.
POSITIONS_COUNT_FROM_ONE = "ALTER TABLE audit_entries ADD CHECK (position > 0) NOT VALID"

# For all organizations, one at a time: also those of which nothing is left but that something had been on record.
NEXT_AUDITED = """
    CREATE OR REPLACE FUNCTION next_audited(after text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = admin, pg_temp
    BEGIN ATOMIC
        SELECT least(
            (SELECT min(organization_id) FROM audit_heads WHERE organization_id > after COLLATE "C"),
            (SELECT min(organization_id) FROM audit_entries WHERE organization_id > after COLLATE "C"),
            (SELECT min(organization_id) FROM audit_witnesses WHERE organization_id > after COLLATE "C"),
            (SELECT min(organization_id) FROM organizations WHERE organization_id > after COLLATE "C")
        );
    END
"""


def upgrade() -> None:
    for statement in (AUDIT_WITNESSES, *GRANTS, POSITIONS_COUNT_FROM_ONE, NEXT_AUDITED):
        op.execute(statement)
    separate_tenants("audit_witnesses")
