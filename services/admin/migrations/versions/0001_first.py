"""Organizations, and the one look across them."""

from alembic import op

from chassis.migrations import create_outbox_and_inbox, separate_tenants

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox_and_inbox()
    op.execute("""
        CREATE TABLE organizations (
            organization_id text COLLATE "C" PRIMARY KEY,
            connection_revision integer NOT NULL DEFAULT -1,
            connected boolean NOT NULL DEFAULT false,
            credentials_valid boolean NOT NULL DEFAULT false,
            last_synced_at timestamptz,
            counted_at timestamptz NOT NULL DEFAULT '-infinity',
            total_patients integer NOT NULL DEFAULT 0,
            active_patients integer NOT NULL DEFAULT 0
        )
    """)
    separate_tenants("organizations")
    # Runs as the tables' owner, whom row-level security does not bind; the pinned path keeps others' objects out of it.
    op.execute("""
        CREATE FUNCTION platform_figures(
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
            FROM organizations;
        END
    """)
    op.execute("REVOKE ALL ON FUNCTION platform_figures FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION platform_figures TO routiq_admin")
