"""The records of every clinic, and one document per patient made of them."""

from alembic import op

from chassis.migrations import create_outbox_and_inbox, separate_tenants

revision = "0001"
down_revision = None

# "C" orders text by code point on every server, whatever its locale: the order of locks and of lists depends on it.
# `updated_at` is Cliniko's; with `sequence` it is the version that decides which of two states is newer.

PATIENTS = """
    CREATE TABLE patients (
        organization_id text COLLATE "C" NOT NULL,
        cliniko_patient_id text COLLATE "C" NOT NULL,
        patient_id uuid NOT NULL,
        name text NOT NULL,
        name_order text COLLATE "C" NOT NULL,
        phone text,
        email text,
        search_text text NOT NULL,
        archived_at timestamptz,
        deleted_at timestamptz,
        merged_at timestamptz,
        listed boolean NOT NULL
            GENERATED ALWAYS AS (coalesce(archived_at, deleted_at, merged_at) IS NULL) STORED,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        sequence bigint NOT NULL,
        changed_at timestamptz NOT NULL,
        PRIMARY KEY (organization_id, cliniko_patient_id)
    )
"""

APPOINTMENTS = """
    CREATE TABLE appointments (
        organization_id text COLLATE "C" NOT NULL,
        cliniko_appointment_id text COLLATE "C" NOT NULL,
        cliniko_patient_id text COLLATE "C" NOT NULL,
        moved_from text COLLATE "C",
        appointment_type_id text COLLATE "C",
        practitioner_id text COLLATE "C",
        starts_at timestamptz NOT NULL,
        ends_at timestamptz,
        notes text,
        patient_arrived boolean NOT NULL,
        did_not_arrive boolean NOT NULL,
        cancelled_at timestamptz,
        archived_at timestamptz,
        deleted_at timestamptz,
        counted boolean NOT NULL
            GENERATED ALWAYS AS (coalesce(cancelled_at, archived_at, deleted_at) IS NULL) STORED,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        sequence bigint NOT NULL,
        PRIMARY KEY (organization_id, cliniko_appointment_id)
    )
"""
APPOINTMENTS_OF_A_PATIENT = """
    CREATE INDEX appointments_of_a_patient ON appointments (organization_id, cliniko_patient_id) WHERE counted
"""

APPOINTMENT_TYPES = """
    CREATE TABLE appointment_types (
        organization_id text COLLATE "C" NOT NULL,
        appointment_type_id text COLLATE "C" NOT NULL,
        name text NOT NULL,
        updated_at timestamptz NOT NULL,
        sequence bigint NOT NULL,
        PRIMARY KEY (organization_id, appointment_type_id)
    )
"""
PRACTITIONERS = """
    CREATE TABLE practitioners (
        organization_id text COLLATE "C" NOT NULL,
        practitioner_id text COLLATE "C" NOT NULL,
        name text NOT NULL,
        updated_at timestamptz NOT NULL,
        sequence bigint NOT NULL,
        PRIMARY KEY (organization_id, practitioner_id)
    )
"""

LAST_RUNS = """
    CREATE TABLE last_runs (
        organization_id text COLLATE "C" PRIMARY KEY,
        completed_at timestamptz NOT NULL,
        full_sweep_at timestamptz
    )
"""

# A row without a document waits for its patient's record. `next_order` and `recency` (microseconds, the missing
# last) turn the mixed directions of the list's order into one ascending key, which an index and a cursor can follow.
PATIENT_DOCUMENTS = """
    CREATE TABLE patient_documents (
        organization_id text COLLATE "C" NOT NULL,
        cliniko_patient_id text COLLATE "C" NOT NULL,
        patient_id uuid,
        listed boolean NOT NULL DEFAULT false,
        active boolean NOT NULL DEFAULT false,
        valid_until timestamptz NOT NULL DEFAULT 'infinity',
        next_at timestamptz,
        last_at timestamptz,
        next_order bigint NOT NULL GENERATED ALWAYS AS (
            coalesce((extract(epoch FROM next_at AT TIME ZONE 'UTC') * 1000000)::bigint, 9223372036854775807)
        ) STORED,
        recency bigint NOT NULL GENERATED ALWAYS AS (
            coalesce((extract(epoch FROM last_at AT TIME ZONE 'UTC') * -1000000)::bigint, 9223372036854775807)
        ) STORED,
        name_order text COLLATE "C" NOT NULL DEFAULT '',
        next_type text COLLATE "C",
        primary_type text COLLATE "C",
        recent_count integer NOT NULL DEFAULT 0,
        upcoming_count integer NOT NULL DEFAULT 0,
        total_count integer NOT NULL DEFAULT 0,
        search_text text NOT NULL DEFAULT '',
        changed_at timestamptz,
        document text,
        document_end text,
        PRIMARY KEY (organization_id, cliniko_patient_id)
    )
"""
ACTIVE_IN_ORDER = """
    CREATE INDEX active_in_order ON patient_documents (organization_id, next_order, recency, name_order, patient_id)
    WHERE active
"""
LISTED_IN_ORDER = """
    CREATE INDEX listed_in_order ON patient_documents (organization_id, next_order, recency, name_order, patient_id)
    WHERE listed
"""
EXPIRING = "CREATE INDEX expiring ON patient_documents (organization_id, valid_until)"

UTC_TEXT = """
    CREATE FUNCTION utc_text(moment timestamptz) RETURNS text LANGUAGE sql STABLE
    RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
"""


def upgrade() -> None:
    create_outbox_and_inbox()
    for statement in (
        PATIENTS,
        APPOINTMENTS,
        APPOINTMENTS_OF_A_PATIENT,
        APPOINTMENT_TYPES,
        PRACTITIONERS,
        LAST_RUNS,
        PATIENT_DOCUMENTS,
        ACTIVE_IN_ORDER,
        LISTED_IN_ORDER,
        EXPIRING,
        UTC_TEXT,
    ):
        op.execute(statement)
    separate_tenants("patients", "appointments", "appointment_types", "practitioners", "last_runs", "patient_documents")
