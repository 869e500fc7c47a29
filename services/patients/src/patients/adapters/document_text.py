"""The statement that makes documents. Every definition of semantics.md's section Patients is here, once."""

from sqlalchemy import text

# Patient by patient (LATERAL), so that the cost follows the number of patients whatever the planner believes about the
# tables: it plans once for pages and for whole clinics, and knows nothing of a clinic in its first minutes.
# A month of recency is 720 hours, not 30 days: those would follow the session's time zone over a change of the clock.
MAKE_DOCUMENTS = text("""
INSERT INTO patient_documents (
    organization_id, cliniko_patient_id, patient_id, listed, active, valid_until, next_at, last_at, name_order,
    next_type, primary_type, recent_count, upcoming_count, total_count, search_text, changed_at, document, document_end
)
SELECT
    patient.organization_id,
    patient.cliniko_patient_id,
    patient.patient_id,
    patient.listed,
    patient.listed AND is_active,
    coalesce(CASE WHEN patient.listed THEN least(next_at, first_recent_at + interval '720 hours') END, 'infinity'),
    next_at,
    last_at,
    patient.name_order,
    next_type,
    primary_type,
    recent_count,
    upcoming_count,
    total_count,
    patient.search_text,
    patient.changed_at,
    left((  -- the key `last_synced_at` and the end follow when it is read
        SELECT row_to_json(shown)::text FROM (
            SELECT
                patient.patient_id AS id,
                patient.name,
                patient.phone,
                patient.email,
                patient.cliniko_patient_id,
                is_active,
                activity_status,
                recent_count AS recent_appointment_count,
                upcoming_count AS upcoming_appointment_count,
                total_count AS total_appointment_count,
                utc_text(first_at) AS first_appointment_date,
                utc_text(last_at) AS last_appointment_date,
                utc_text(next_at) AS next_appointment_time,
                next_type AS next_appointment_type,
                primary_type AS primary_appointment_type,
                treatment_notes,
                coalesce(recent_appointments, '[]') AS recent_appointments,
                coalesce(upcoming_appointments, '[]') AS upcoming_appointments
        ) AS shown
    ), -1),
    format(',"created_at":"%s","updated_at":"%s"}', utc_text(patient.created_at), utc_text(patient.changed_at))
FROM unnest(CAST(:patients AS text[])) AS touched (cliniko_patient_id)
CROSS JOIN LATERAL (
    SELECT * FROM patients
    WHERE organization_id = :organization_id AND cliniko_patient_id = touched.cliniko_patient_id
    LIMIT 1
) AS patient
CROSS JOIN LATERAL (
    WITH counted AS (
        SELECT
            cliniko_appointment_id AS id,
            starts_at,
            ends_at,
            notes,
            type.name AS type,
            practitioner.name AS practitioner,
            CASE
                WHEN did_not_arrive THEN 'did_not_arrive'
                WHEN patient_arrived THEN 'arrived'
                ELSE 'booked'
            END AS status,
            starts_at > :now AS upcoming,
            starts_at BETWEEN CAST(:now AS timestamptz) - interval '720 hours' AND :now AS recent
        FROM appointments
        LEFT JOIN appointment_types AS type USING (organization_id, appointment_type_id)
        LEFT JOIN practitioners AS practitioner USING (organization_id, practitioner_id)
        WHERE organization_id = :organization_id AND cliniko_patient_id = touched.cliniko_patient_id AND counted
    ),
    ranked AS (  -- upcoming: soonest first; the others: newest first, so that the recent ones lead
        SELECT *, row_number() OVER (
            PARTITION BY upcoming ORDER BY CASE WHEN upcoming THEN starts_at END, starts_at DESC, id
        ) AS rank
        FROM counted
    ),
    described AS (
        SELECT *, (
            SELECT row_to_json(shown) FROM (
                SELECT id, utc_text(starts_at) AS date, type, notes, practitioner, utc_text(ends_at) AS ends_at, status
            ) AS shown
        ) AS document
        FROM ranked
    )
    SELECT
        count(*) FILTER (WHERE recent) AS recent_count,
        count(*) FILTER (WHERE upcoming) AS upcoming_count,
        count(*) AS total_count,
        min(starts_at) AS first_at,
        max(starts_at) FILTER (WHERE NOT upcoming) AS last_at,
        min(starts_at) FILTER (WHERE upcoming) AS next_at,
        min(starts_at) FILTER (WHERE recent) AS first_recent_at,
        max(type) FILTER (WHERE upcoming AND rank = 1) AS next_type,
        (
            SELECT type FROM counted WHERE type IS NOT NULL
            GROUP BY type ORDER BY count(*) DESC, max(starts_at) DESC, type COLLATE "C" LIMIT 1
        ) AS primary_type,
        (SELECT notes FROM counted WHERE notes IS NOT NULL ORDER BY starts_at DESC, id LIMIT 1) AS treatment_notes,
        json_agg(document ORDER BY rank) FILTER (WHERE recent AND rank <= 50) AS recent_appointments,
        json_agg(document ORDER BY rank) FILTER (WHERE upcoming AND rank <= 50) AS upcoming_appointments
    FROM described
) AS figures
CROSS JOIN LATERAL (
    SELECT
        recent_count > 0 OR upcoming_count > 0 AS is_active,
        CASE
            WHEN recent_count > 0 AND upcoming_count > 0 THEN 'active'
            WHEN recent_count > 0 THEN 'recently_active'
            WHEN upcoming_count > 0 THEN 'upcoming_only'
            ELSE 'inactive'
        END AS activity_status
) AS activity
ON CONFLICT (organization_id, cliniko_patient_id) DO UPDATE SET
    patient_id = excluded.patient_id, listed = excluded.listed, active = excluded.active,
    valid_until = excluded.valid_until, next_at = excluded.next_at, last_at = excluded.last_at,
    name_order = excluded.name_order, next_type = excluded.next_type, primary_type = excluded.primary_type,
    recent_count = excluded.recent_count, upcoming_count = excluded.upcoming_count,
    total_count = excluded.total_count, search_text = excluded.search_text, changed_at = excluded.changed_at,
    document = excluded.document, document_end = excluded.document_end
""")
