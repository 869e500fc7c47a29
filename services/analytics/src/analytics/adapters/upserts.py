"""SQL that records facts: a newer version replaces an older one, in whichever order and however often they come.

`DISTINCT ON` keeps the newest of a key that occurs twice in one page, and its order is the order in which rows are
locked, the same for every page, so that two pages at once cannot deadlock. The patients whom a page tells something new
of are left in `touched`, from where `counting.py` takes them.
"""

from sqlalchemy import text

from analytics.adapters.counting import TOUCH

PATIENTS = text(f"""
    WITH written AS (
        INSERT INTO patients AS known (organization_id, cliniko_patient_id, listed, created_at, updated_at, sequence)
        SELECT DISTINCT ON (cliniko_patient_id)
               :organization_id, cliniko_patient_id, listed, created_at, updated_at, sequence
        FROM jsonb_to_recordset(CAST(:facts AS jsonb)) AS fact (
            cliniko_patient_id text COLLATE "C",
            listed boolean,
            created_at timestamptz,
            updated_at timestamptz,
            sequence bigint
        )
        WHERE NOT EXISTS (
            SELECT FROM removals WHERE organization_id = :organization_id AND kind = 'patient'
            AND removals.cliniko_id = fact.cliniko_patient_id AND removals.sequence > fact.sequence
        ) AND NOT EXISTS (
            SELECT FROM erasures
            WHERE organization_id = :organization_id AND erasures.cliniko_patient_id = fact.cliniko_patient_id
        )
        ORDER BY cliniko_patient_id, sequence DESC
        ON CONFLICT (organization_id, cliniko_patient_id) DO UPDATE SET
            listed = excluded.listed,
            created_at = excluded.created_at,
            updated_at = excluded.updated_at,
            sequence = excluded.sequence
        WHERE known.sequence < excluded.sequence
        RETURNING cliniko_patient_id
    )
    {TOUCH.format(patients="cliniko_patient_id")}
""")

APPOINTMENTS = text(f"""
    WITH written AS (
        INSERT INTO appointments AS known (
            organization_id, cliniko_appointment_id, cliniko_patient_id, appointment_type_id, practitioner_id,
            starts_at, state, counted, created_at, cancelled_at, updated_at, sequence
        )
        SELECT DISTINCT ON (cliniko_appointment_id)
               :organization_id, cliniko_appointment_id, cliniko_patient_id, appointment_type_id, practitioner_id,
               starts_at, state, counted, created_at, cancelled_at, updated_at, sequence
        FROM jsonb_to_recordset(CAST(:facts AS jsonb)) AS fact (
            cliniko_appointment_id text COLLATE "C",
            cliniko_patient_id text,
            appointment_type_id text,
            practitioner_id text,
            starts_at timestamptz,
            state text,
            counted boolean,
            created_at timestamptz,
            cancelled_at timestamptz,
            updated_at timestamptz,
            sequence bigint
        )
        WHERE NOT EXISTS (
            SELECT FROM removals WHERE organization_id = :organization_id AND kind = 'appointment'
            AND removals.cliniko_id = fact.cliniko_appointment_id AND removals.sequence > fact.sequence
        ) AND NOT EXISTS (
            SELECT FROM erasures
            WHERE organization_id = :organization_id AND erasures.cliniko_patient_id = fact.cliniko_patient_id
        )
        ORDER BY cliniko_appointment_id, sequence DESC
        ON CONFLICT (organization_id, cliniko_appointment_id) DO UPDATE SET
            cliniko_patient_id = excluded.cliniko_patient_id,
            moved_from = nullif(known.cliniko_patient_id, excluded.cliniko_patient_id),
            appointment_type_id = excluded.appointment_type_id,
            practitioner_id = excluded.practitioner_id,
            starts_at = excluded.starts_at,
            state = excluded.state,
            counted = excluded.counted,
            created_at = excluded.created_at,
            cancelled_at = excluded.cancelled_at,
            updated_at = excluded.updated_at,
            sequence = excluded.sequence
        WHERE known.sequence < excluded.sequence
        RETURNING cliniko_patient_id, moved_from
    )
    {TOUCH.format(patients="cliniko_patient_id, moved_from")}
""")

APPOINTMENT_TYPES = text("""
    INSERT INTO appointment_types AS known (organization_id, appointment_type_id, name, sequence)
    SELECT DISTINCT ON (appointment_type_id) :organization_id, appointment_type_id, name, sequence
    FROM jsonb_to_recordset(CAST(:records AS jsonb)) AS record (
        appointment_type_id text COLLATE "C", name text, sequence bigint
    )
    ORDER BY appointment_type_id, sequence DESC
    ON CONFLICT (organization_id, appointment_type_id)
    DO UPDATE SET name = excluded.name, sequence = excluded.sequence
    WHERE known.sequence < excluded.sequence
""")

PRACTITIONERS = text("""
    INSERT INTO practitioners AS known (organization_id, practitioner_id, name, sequence)
    SELECT DISTINCT ON (practitioner_id) :organization_id, practitioner_id, name, sequence
    FROM jsonb_to_recordset(CAST(:records AS jsonb)) AS record (
        practitioner_id text COLLATE "C", name text, sequence bigint
    )
    ORDER BY practitioner_id, sequence DESC
    ON CONFLICT (organization_id, practitioner_id)
    DO UPDATE SET name = excluded.name, sequence = excluded.sequence
    WHERE known.sequence < excluded.sequence
""")

RUN = text("""
    INSERT INTO runs AS known (
        organization_id, sync_id, revision, mode, status, started_at, completed_at,
        records_processed, records_success, records_failed, patients_reported
    )
    VALUES (
        :organization_id, :sync_id, :revision, :mode, :status, :started_at, :completed_at,
        :records_processed, :records_success, :records_failed, :patients_reported
    )
    ON CONFLICT (organization_id, sync_id) DO UPDATE SET
        revision = excluded.revision,
        mode = excluded.mode,
        status = excluded.status,
        started_at = excluded.started_at,
        completed_at = excluded.completed_at,
        records_processed = excluded.records_processed,
        records_success = excluded.records_success,
        records_failed = excluded.records_failed,
        patients_reported = excluded.patients_reported
    WHERE known.revision < excluded.revision
""")

CONNECTION = text("""
    INSERT INTO connections AS known (organization_id, revision, connected, credentials_valid)
    VALUES (:organization_id, :revision, :connected, :credentials_valid)
    ON CONFLICT (organization_id) DO UPDATE SET
        revision = excluded.revision,
        connected = excluded.connected,
        credentials_valid = excluded.credentials_valid
    WHERE known.revision < excluded.revision
""")
