"""The statement that makes documents. Every definition of semantics.md's section Patients is here, once."""

from sqlalchemy import text

# A month of recency is 720 hours, not 30 days: those would follow the session's time zone over a change of the clock.
MAKE_DOCUMENTS = text("""
WITH counted AS (
    SELECT
        appointment.cliniko_patient_id,
        appointment.cliniko_appointment_id AS id,
        appointment.starts_at,
        appointment.ends_at,
        appointment.notes,
        type.name AS type,
        practitioner.name AS practitioner,
        CASE
            WHEN appointment.did_not_arrive THEN 'did_not_arrive'
            WHEN appointment.patient_arrived THEN 'arrived'
            ELSE 'booked'
        END AS status,
        appointment.starts_at > :now AS upcoming,
        appointment.starts_at BETWEEN CAST(:now AS timestamptz) - interval '720 hours' AND :now AS recent
    FROM appointments AS appointment
    LEFT JOIN appointment_types AS type USING (organization_id, appointment_type_id)
    LEFT JOIN practitioners AS practitioner USING (organization_id, practitioner_id)
    WHERE appointment.organization_id = :organization_id
      AND appointment.cliniko_patient_id = ANY(:patients)
      AND appointment.counted
),
ranked AS (  -- upcoming: soonest first; the others: newest first, so that the recent ones lead
    SELECT
        counted.*,
        row_number() OVER (
            PARTITION BY cliniko_patient_id, upcoming
            ORDER BY CASE WHEN upcoming THEN starts_at END, starts_at DESC, id
        ) AS rank,
        (
            SELECT row_to_json(shown) FROM (
                SELECT id, utc_text(starts_at) AS date, type, notes, practitioner, utc_text(ends_at) AS ends_at, status
            ) AS shown
        ) AS document
    FROM counted
),
figures AS (
    SELECT
        cliniko_patient_id,
        count(*) FILTER (WHERE recent) AS recent_count,
        count(*) FILTER (WHERE upcoming) AS upcoming_count,
        count(*) AS total_count,
        min(starts_at) AS first_at,
        max(starts_at) FILTER (WHERE NOT upcoming) AS last_at,
        min(starts_at) FILTER (WHERE upcoming) AS next_at,
        min(starts_at) FILTER (WHERE recent) + interval '720 hours' AS first_ages_at,
        max(type) FILTER (WHERE upcoming AND rank = 1) AS next_type,
        (array_agg(notes ORDER BY starts_at DESC, id) FILTER (WHERE notes IS NOT NULL))[1] AS treatment_notes,
        json_agg(document ORDER BY rank) FILTER (WHERE recent AND rank <= 50) AS recent_appointments,
        json_agg(document ORDER BY rank) FILTER (WHERE upcoming AND rank <= 50) AS upcoming_appointments
    FROM ranked
    GROUP BY cliniko_patient_id
),
primary_types AS (
    SELECT DISTINCT ON (cliniko_patient_id) cliniko_patient_id, type AS primary_type
    FROM counted
    WHERE type IS NOT NULL
    GROUP BY cliniko_patient_id, type
    ORDER BY cliniko_patient_id, count(*) DESC, max(starts_at) DESC, type COLLATE "C"
),
described AS (
    SELECT
        patient.*,
        coalesce(recent_count, 0) AS recent_count,
        coalesce(upcoming_count, 0) AS upcoming_count,
        coalesce(total_count, 0) AS total_count,
        first_at, last_at, next_at, first_ages_at, next_type, primary_type, treatment_notes,
        coalesce(recent_appointments, '[]') AS recent_appointments,
        coalesce(upcoming_appointments, '[]') AS upcoming_appointments,
        CASE
            WHEN recent_count > 0 AND upcoming_count > 0 THEN 'active'
            WHEN recent_count > 0 THEN 'recently_active'
            WHEN upcoming_count > 0 THEN 'upcoming_only'
            ELSE 'inactive'
        END AS activity_status
    FROM patients AS patient
    LEFT JOIN figures USING (cliniko_patient_id)
    LEFT JOIN primary_types USING (cliniko_patient_id)
    WHERE patient.organization_id = :organization_id AND patient.cliniko_patient_id = ANY(:patients)
)
UPDATE patient_documents AS made SET
    patient_id = described.patient_id,
    listed = described.listed,
    active = described.listed AND activity_status <> 'inactive',
    valid_until = coalesce(CASE WHEN described.listed THEN least(described.next_at, first_ages_at) END, 'infinity'),
    next_at = described.next_at,
    last_at = described.last_at,
    name_order = described.name_order,
    next_type = described.next_type,
    primary_type = described.primary_type,
    recent_count = described.recent_count,
    upcoming_count = described.upcoming_count,
    total_count = described.total_count,
    search_text = described.search_text,
    changed_at = described.changed_at,
    document = left((
        SELECT row_to_json(shown)::text FROM (
            SELECT
                described.patient_id AS id,
                name,
                phone,
                email,
                described.cliniko_patient_id,
                activity_status <> 'inactive' AS is_active,
                activity_status,
                described.recent_count AS recent_appointment_count,
                described.upcoming_count AS upcoming_appointment_count,
                described.total_count AS total_appointment_count,
                utc_text(first_at) AS first_appointment_date,
                utc_text(described.last_at) AS last_appointment_date,
                utc_text(described.next_at) AS next_appointment_time,
                described.next_type AS next_appointment_type,
                described.primary_type AS primary_appointment_type,
                treatment_notes,
                recent_appointments,
                upcoming_appointments
        ) AS shown
    ), -1),
    document_end = format(
        ',"created_at":"%s","updated_at":"%s"}', utc_text(created_at), utc_text(described.changed_at)
    )
FROM described
WHERE made.organization_id = :organization_id AND made.cliniko_patient_id = described.cliniko_patient_id
""")
