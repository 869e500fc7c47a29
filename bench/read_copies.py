"""The same records in the tables of analytics, sync and the baseline: copied from those of the patients service."""

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

# Of all clinics at once, as `sync.adapters.landing` leaves them: a hundred records share a batch.
SYNC = (
    """
    INSERT INTO sync.landed (organization_id, kind, cliniko_id, sequence, record, batch_id)
    SELECT organization_id, 'patients', cliniko_patient_id, sequence,
        jsonb_build_object(
            'cliniko_patient_id', cliniko_patient_id, 'first_name', split_part(name, ' ', 1),
            'last_name', split_part(name, ' ', 2), 'email', email,
            'phone_numbers', jsonb_build_array(jsonb_build_object('type', 'Mobile', 'number', phone)),
            'archived_at', archived_at, 'deleted_at', deleted_at, 'merged_at', merged_at,
            'created_at', created_at, 'updated_at', updated_at
        ),
        md5(organization_id || row_number() OVER (PARTITION BY organization_id) / 100)::uuid
    FROM patients.patients
    """,
    """
    INSERT INTO sync.landed (organization_id, kind, cliniko_id, sequence, record, batch_id)
    SELECT organization_id, 'appointments', cliniko_appointment_id, sequence,
        jsonb_build_object(
            'cliniko_appointment_id', cliniko_appointment_id, 'cliniko_patient_id', cliniko_patient_id,
            'appointment_type_id', appointment_type_id, 'practitioner_id', practitioner_id, 'starts_at', starts_at,
            'ends_at', ends_at, 'notes', notes, 'patient_arrived', patient_arrived, 'did_not_arrive', did_not_arrive,
            'cancelled_at', cancelled_at, 'archived_at', archived_at, 'deleted_at', deleted_at,
            'created_at', created_at, 'updated_at', updated_at
        ),
        md5('visits' || organization_id || row_number() OVER (PARTITION BY organization_id) / 100)::uuid
    FROM patients.appointments
    """,
    "VACUUM (ANALYZE) sync.landed",
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
