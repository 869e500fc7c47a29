"""Organizations that Clerk has deleted: kept, for their audit is, but no part of the platform's figures."""

from alembic import op

revision = "0004"
down_revision = "0003"

PLATFORM_FIGURES = """
    CREATE OR REPLACE FUNCTION platform_figures(
        OUT total_organizations bigint,
        OUT total_patients bigint,
        OUT active_patients bigint,
        OUT total_connections bigint,
        OUT healthy_connections bigint
    )
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = admin, pg_temp
    BEGIN ATOMIC
        SELECT count(*),
               coalesce(sum(total_patients), 0),
               coalesce(sum(active_patients), 0),
               count(*) FILTER (WHERE connected),
               count(*) FILTER (WHERE connected AND credentials_valid)
        FROM organizations WHERE deleted_at IS NULL;
    END
"""


def upgrade() -> None:
    op.execute("ALTER TABLE organizations ADD COLUMN deleted_at timestamptz")
    op.execute(PLATFORM_FIGURES)
