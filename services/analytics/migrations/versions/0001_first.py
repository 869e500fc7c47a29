"""Facts of patients and appointments, the clinic's runs and its connection."""

from alembic import op

from chassis.migrations import create_outbox_and_inbox, separate_tenants

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_outbox_and_inbox()
    op.execute("""
        CREATE TABLE patients (
            organization_id text COLLATE "C" NOT NULL,
            cliniko_patient_id text COLLATE "C" NOT NULL,
            listed boolean NOT NULL,
            created_at timestamptz NOT NULL,
            updated_at timestamptz NOT NULL,
            sequence bigint NOT NULL,
            PRIMARY KEY (organization_id, cliniko_patient_id)
        )
    """)
    op.execute("""
        CREATE TABLE appointments (
            organization_id text COLLATE "C" NOT NULL,
            cliniko_appointment_id text COLLATE "C" NOT NULL,
            cliniko_patient_id text COLLATE "C" NOT NULL,
            appointment_type_id text COLLATE "C",
            practitioner_id text COLLATE "C",
            starts_at timestamptz NOT NULL,
            state text NOT NULL,
            counted boolean NOT NULL,
            created_at timestamptz NOT NULL,
            cancelled_at timestamptz,
            updated_at timestamptz NOT NULL,
            sequence bigint NOT NULL,
            PRIMARY KEY (organization_id, cliniko_appointment_id)
        )
    """)
    op.execute("""
        CREATE INDEX counted_appointments
        ON appointments (organization_id, cliniko_patient_id, starts_at) WHERE counted
    """)
    op.execute("""
        CREATE TABLE runs (
            organization_id text COLLATE "C" NOT NULL,
            sync_id text COLLATE "C" NOT NULL,
            revision integer NOT NULL,
            mode text NOT NULL,
            status text NOT NULL,
            started_at timestamptz NOT NULL,
            completed_at timestamptz,
            records_processed integer NOT NULL,
            records_success integer NOT NULL,
            records_failed integer NOT NULL,
            patients_reported integer,
            PRIMARY KEY (organization_id, sync_id)
        )
    """)
    op.execute("CREATE INDEX runs_by_start ON runs (organization_id, started_at DESC, sync_id DESC)")
    op.execute("""
        CREATE TABLE connections (
            organization_id text COLLATE "C" PRIMARY KEY,
            revision integer NOT NULL,
            connected boolean NOT NULL,
            credentials_valid boolean NOT NULL
        )
    """)
    separate_tenants("patients", "appointments", "runs", "connections")
