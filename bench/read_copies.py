"""The same records in the tables of analytics and of the baseline: copied from those of the patients service."""

ANALYTICS = (
    """
    INSERT INTO analytics.patients (organization_id, cliniko_patient_id, listed, created_at, updated_at, sequence)
    SELECT organization_id, cliniko_patient_id, listed, created_at, updated_at, sequence
    FROM patients.patients WHERE organization_id = $1 ORDER BY cliniko_patient_id
    """,
    """
    INSERT INTO analytics.appointments (
        organization_id, cliniko_appointment_id, cliniko_patient_id, appointment_type_id, practitioner_id,
        starts_at, state, counted, created_at, cancelled_at, updated_at, sequence
    )
    SELECT
        organization_id, cliniko_appointment_id, cliniko_patient_id, appointment_type_id, practitioner_id, starts_at,
        CASE
            WHEN cancelled_at IS NOT NULL THEN 'cancelled'
            WHEN did_not_arrive THEN 'missed'
            WHEN patient_arrived THEN 'arrived'
            ELSE 'booked'
        END,
        counted, created_at, cancelled_at, updated_at, sequence
    FROM patients.appointments WHERE organization_id = $1 ORDER BY cliniko_appointment_id
    """,
    """
    INSERT INTO analytics.touched (organization_id, patients)
    SELECT organization_id, array_agg(cliniko_patient_id)
    FROM analytics.patients WHERE organization_id = $1 GROUP BY organization_id
    """,
)

# `$2` is the clinic's number, by which the baseline keys it.
BASELINE = (
    """
    INSERT INTO baseline.clinics (id, organization_id, full_sweep_at)
    SELECT $2::integer, organization_id, full_sweep_at FROM patients.last_runs WHERE organization_id = $1
    """,
    """
    INSERT INTO baseline.appointment_types (id, clinic_id, name)
    SELECT $2::integer * 100 + appointment_type_id::integer, $2, name
    FROM patients.appointment_types WHERE organization_id = $1
    """,
    """
    INSERT INTO baseline.practitioners (id, clinic_id, name)
    SELECT $2::integer * 100 + practitioner_id::integer, $2, name
    FROM patients.practitioners WHERE organization_id = $1
    """,
    """
    INSERT INTO baseline.patients (id, clinic_id, uuid, name, phone, email, archived_at, created_at, changed_at)
    SELECT cliniko_patient_id::bigint, $2::integer, patient_id, name, phone, email, archived_at, created_at, changed_at
    FROM patients.patients WHERE organization_id = $1 ORDER BY cliniko_patient_id
    """,
    """
    INSERT INTO baseline.appointments (
        id, clinic_id, patient_id, type_id, practitioner_id, starts_at, ends_at, notes,
        patient_arrived, did_not_arrive, cancelled_at
    )
    SELECT
        cliniko_appointment_id::bigint, $2::integer, cliniko_patient_id::bigint,
        $2::integer * 100 + appointment_type_id::integer, $2::integer * 100 + practitioner_id::integer,
        starts_at, ends_at, notes, patient_arrived, did_not_arrive, cancelled_at
    FROM patients.appointments WHERE organization_id = $1 ORDER BY cliniko_appointment_id
    """,
    """
    INSERT INTO baseline.sync_runs (clinic_id, status, started_at, completed_at, patients_reported)
    SELECT $2::integer, status, started_at, completed_at, patients_reported
    FROM analytics.runs WHERE organization_id = $1
    """,
)
