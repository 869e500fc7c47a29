"""The audit chain, in place of the table of reads: docs/decisions/0019-audit-chain.md."""

from itertools import groupby
from typing import Any

from alembic import op
from sqlalchemy import Row, text

from admin.domain.audit import GENESIS, Entry, linked  # the format of what is sealed never changes: nor may these
from chassis.migrations import separate_tenants

revision = "0003"
down_revision = "0002"

AUDIT_HEADS = """
    CREATE TABLE audit_heads (
        organization_id text COLLATE "C" PRIMARY KEY,
        position bigint NOT NULL DEFAULT 0,
        hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
        anchor_position bigint NOT NULL DEFAULT 0,
        anchor_hash bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
        CHECK (position >= anchor_position)
    )
"""
AUDIT_ENTRIES = """
    CREATE TABLE audit_entries (
        organization_id text COLLATE "C" NOT NULL,
        position bigint NOT NULL,
        recorded_at timestamptz NOT NULL,
        entry_id uuid NOT NULL,
        kind text NOT NULL,
        occurred_at timestamptz NOT NULL,
        request_id text,
        user_id text,
        role text,
        impersonator text,
        patient_ids uuid[] NOT NULL,
        details jsonb NOT NULL,
        previous bytea NOT NULL,
        hash bytea NOT NULL,
        PRIMARY KEY (organization_id, position),
        UNIQUE (organization_id, entry_id)
    )
"""
INDEXES = (
    "CREATE INDEX ON audit_entries (organization_id, occurred_at)",
    "CREATE INDEX ON audit_entries (organization_id, kind, position)",
    "CREATE INDEX ON audit_entries (organization_id, user_id, position) WHERE user_id IS NOT NULL",
    "CREATE INDEX ON audit_entries USING gin (patient_ids)",
)
APPEND_ONLY = (
    "REVOKE ALL ON audit_entries, audit_heads FROM routiq_admin",
    "GRANT SELECT, INSERT ON audit_entries TO routiq_admin",
    "GRANT SELECT, INSERT (organization_id), UPDATE (position, hash) ON audit_heads TO routiq_admin",
)

# As the tables' owner, though of the transaction's own organization: below a row-level policy PostgreSQL does not use
# an index for `@>`, which might leak what it compares. The patient comes first, and by their index: a plan made without
# knowing the moments takes any span of time for a short one, and would go through the clinic's whole trail.
POSITIONS_OF_PATIENT = """
    CREATE FUNCTION positions_of_patient(patient uuid, since timestamptz, until timestamptz) RETURNS SETOF bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = admin, pg_temp
    BEGIN ATOMIC
        WITH naming AS MATERIALIZED (
            SELECT organization_id, position, occurred_at FROM audit_entries WHERE patient_ids @> ARRAY[patient]
        )
        SELECT position FROM naming
        WHERE organization_id = current_setting('routiq.organization_id', true)
          AND occurred_at >= since AND occurred_at < until;
    END
"""
# For all organizations, one at a time. Entries whose head is gone are found too.
NEXT_AUDITED = """
    CREATE FUNCTION next_audited(after text) RETURNS text
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = admin, pg_temp
    BEGIN ATOMIC
        SELECT least(
            (SELECT min(organization_id) FROM audit_heads WHERE organization_id > after COLLATE "C"),
            (SELECT min(organization_id) FROM audit_entries WHERE organization_id > after COLLATE "C")
        );
    END
"""
COUNT_AUDITED = """
    CREATE FUNCTION count_audited() RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = admin, pg_temp
    BEGIN ATOMIC
        SELECT coalesce(sum(position - anchor_position), 0)::bigint FROM audit_heads;
    END
"""
# Of the transaction's organization. Only a beginning goes, at most `most` entries of it, and the anchor says how far.
FORGET_AUDITED = """
    CREATE FUNCTION forget_audited(before timestamptz, most integer) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = admin, pg_temp AS $$
    DECLARE
        tenant text := current_setting('routiq.organization_id', true);
        anchor bigint;
        last bigint;
    BEGIN
        IF (before <= now() - interval '6 years') IS NOT TRUE THEN
            RAISE EXCEPTION 'audit entries are kept for six years' USING ERRCODE = 'check_violation';
        END IF;
        SELECT anchor_position INTO anchor FROM audit_heads WHERE organization_id = tenant FOR UPDATE;
        SELECT coalesce(min(position) FILTER (WHERE recorded_at >= before) - 1, max(position)) INTO last
        FROM (
            SELECT position, recorded_at FROM audit_entries
            WHERE organization_id = tenant ORDER BY position LIMIT most
        ) AS beginning;
        IF (last > anchor) IS NOT TRUE THEN
            RETURN 0;
        END IF;
        UPDATE audit_heads SET anchor_position = last, anchor_hash = entry.hash
        FROM audit_entries AS entry
        WHERE audit_heads.organization_id = tenant AND entry.organization_id = tenant AND entry.position = last;
        DELETE FROM audit_entries WHERE organization_id = tenant AND position <= last;
        RETURN last - anchor;
    END $$
"""
FUNCTIONS = {
    "positions_of_patient": POSITIONS_OF_PATIENT,
    "next_audited": NEXT_AUDITED,
    "count_audited": COUNT_AUDITED,
    "forget_audited": FORGET_AUDITED,
}
READS = text("SELECT *, now() FROM record_reads ORDER BY organization_id, occurred_at, event_id")
ADD = text("""
    INSERT INTO audit_entries (
        organization_id, position, recorded_at, entry_id, kind, occurred_at, request_id, user_id, role, impersonator,
        patient_ids, details, previous, hash
    )
    SELECT organization_id, :position, :recorded_at, event_id, :kind, occurred_at, request_id, user_id, role,
           impersonator, patient_ids, jsonb_build_object('route', route, 'patient_count', patient_count),
           :previous, :hash
    FROM record_reads WHERE organization_id = :organization_id AND event_id = :entry_id
""")
HEADS = """
    INSERT INTO audit_heads (organization_id, position, hash)
    SELECT DISTINCT ON (organization_id) organization_id, position, hash
    FROM audit_entries ORDER BY organization_id, position DESC
"""


def upgrade() -> None:
    for statement in (AUDIT_HEADS, AUDIT_ENTRIES, *INDEXES, *APPEND_ONLY):
        op.execute(statement)
    separate_tenants("audit_heads", "audit_entries")
    for name, statement in FUNCTIONS.items():
        op.execute(statement)
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO routiq_admin")
    _chain_reads()
    op.execute("DROP TABLE record_reads")


def _chain_reads() -> None:
    """What was on record so far becomes the beginning of each chain."""
    connection = op.get_bind()
    for organization_id, rows in groupby(connection.execute(READS), key=lambda row: row.organization_id):
        reads = list(rows)
        for link in linked(organization_id, 0, GENESIS, [_entry(row) for row in reads], reads[0].now):
            place = {"organization_id": organization_id, "entry_id": link.entry.entry_id, "kind": link.entry.kind}
            sealed = {"position": link.position, "previous": link.previous, "hash": link.hash}
            connection.execute(ADD, {**place, **sealed, "recorded_at": link.recorded_at})
    op.execute(HEADS)


def _entry(read: Row[Any]) -> Entry:
    return Entry(
        entry_id=read.event_id,
        kind="records.read",
        occurred_at=read.occurred_at,
        request_id=read.request_id,
        user_id=read.user_id,
        role=read.role,
        impersonator=read.impersonator,
        patient_ids=read.patient_ids,
        details={"route": read.route, "patient_count": read.patient_count},
    )
