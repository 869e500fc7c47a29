"""Figures per patient with the time for which they are true, their sums per clinic, and what has been touched since."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "0003"
down_revision = "0002"

# There to be returned: before version 18 PostgreSQL does not tell what a row was before its update.
MOVED_FROM = 'ALTER TABLE appointments ADD COLUMN moved_from text COLLATE "C"'

# In place of `counted_appointments`: cancellations tell something of a patient too.
APPOINTMENTS_OF_A_PATIENT = """
    CREATE INDEX appointments_of_a_patient ON appointments (organization_id, cliniko_patient_id)
    WHERE state <> 'removed'
"""

# One row per message, not per patient: a first sync touches each patient with many pages, which wait for nobody here.
TOUCHED = """
    CREATE TABLE touched (
        organization_id text COLLATE "C" NOT NULL,
        id bigint GENERATED ALWAYS AS IDENTITY,
        patients text[] NOT NULL,
        PRIMARY KEY (organization_id, id)
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
"""

# True from `valid_from` until before `valid_until`; of listed patients only.
PATIENT_FIGURES = """
    CREATE TABLE patient_figures (
        organization_id text COLLATE "C" NOT NULL,
        cliniko_patient_id text COLLATE "C" NOT NULL,
        valid_from timestamptz NOT NULL,
        valid_until timestamptz NOT NULL,
        total integer NOT NULL,
        recent integer NOT NULL,
        upcoming integer NOT NULL,
        visits integer NOT NULL,
        last_visit_at timestamptz,
        usual_interval_days integer,
        slipped text CHECK (slipped IN ('missed', 'cancelled')),
        risk smallint,
        PRIMARY KEY (organization_id, cliniko_patient_id)
    )
"""
INDEXES = (
    "CREATE INDEX figures_no_longer_true ON patient_figures (organization_id, valid_until)",
    "CREATE INDEX figures_not_yet_true ON patient_figures (organization_id, valid_from)",
    """
    CREATE INDEX patients_at_risk ON patient_figures (organization_id, risk, last_visit_at, cliniko_patient_id)
    WHERE risk IS NOT NULL
    """,
)

CLINIC_FIGURES = """
    CREATE TABLE clinic_figures (
        organization_id text COLLATE "C" PRIMARY KEY,
        total_patients bigint NOT NULL,
        active_patients bigint NOT NULL,
        patients_with_upcoming bigint NOT NULL,
        patients_with_recent bigint NOT NULL,
        total_upcoming_appointments bigint NOT NULL,
        total_recent_appointments bigint NOT NULL,
        total_all_appointments bigint NOT NULL,
        appointments_of_active bigint NOT NULL,
        risk_lost bigint NOT NULL,
        risk_low bigint NOT NULL,
        risk_medium bigint NOT NULL,
        risk_high bigint NOT NULL
    )
"""

# What was counted of the days around `today`, until one of the clinic's patients is touched or the day is over.
TRENDS = """
    CREATE TABLE trends (
        organization_id text COLLATE "C" NOT NULL,
        timeframe text COLLATE "C" NOT NULL,
        today date NOT NULL,
        counts jsonb NOT NULL,
        PRIMARY KEY (organization_id, timeframe)
    )
"""
TOUCH_EVERYBODY = """
    INSERT INTO touched (organization_id, patients)
    SELECT organization_id, array_agg(cliniko_patient_id) FROM patients GROUP BY organization_id
"""


def upgrade() -> None:
    for statement in (
        MOVED_FROM,
        "DROP INDEX counted_appointments",
        APPOINTMENTS_OF_A_PATIENT,
        TOUCHED,
        PATIENT_FIGURES,
        *INDEXES,
        CLINIC_FIGURES,
        TRENDS,
        TOUCH_EVERYBODY,
    ):
        op.execute(statement)
    separate_tenants("touched", "patient_figures", "clinic_figures", "trends")
