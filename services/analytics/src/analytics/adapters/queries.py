"""SQL that counts. One statement sees one moment of the database, so its figures agree with each other."""

from sqlalchemy import text

FIGURES = text("""
    WITH appointments_of_patient AS (
        SELECT count(appointment.starts_at) AS total,
               count(*) FILTER (WHERE appointment.starts_at BETWEEN :recent_since AND :now) AS recent,
               count(*) FILTER (WHERE appointment.starts_at > :now) AS upcoming
        FROM patients AS patient
        LEFT JOIN appointments AS appointment
            ON appointment.organization_id = patient.organization_id
            AND appointment.cliniko_patient_id = patient.cliniko_patient_id
            AND appointment.counted
        WHERE patient.organization_id = :organization_id AND patient.listed
        GROUP BY patient.cliniko_patient_id
    )
    SELECT count(*) AS total_patients,
           count(*) FILTER (WHERE recent > 0 OR upcoming > 0) AS active_patients,
           count(*) FILTER (WHERE upcoming > 0) AS patients_with_upcoming,
           count(*) FILTER (WHERE recent > 0) AS patients_with_recent,
           CAST(coalesce(sum(upcoming), 0) AS bigint) AS total_upcoming_appointments,
           CAST(coalesce(sum(recent), 0) AS bigint) AS total_recent_appointments,
           CAST(coalesce(sum(total), 0) AS bigint) AS total_all_appointments,
           CAST(coalesce(sum(total) FILTER (WHERE recent > 0 OR upcoming > 0), 0) AS bigint) AS appointments_of_active,
           EXISTS (
               SELECT FROM connections WHERE organization_id = :organization_id AND connected
           ) AS connected,
           EXISTS (
               SELECT FROM connections WHERE organization_id = :organization_id AND credentials_valid
           ) AS credentials_valid,
           (
               SELECT status FROM runs
               WHERE organization_id = :organization_id AND status IN ('completed', 'failed')
               ORDER BY started_at DESC, sync_id DESC LIMIT 1
           ) AS last_outcome,
           (
               SELECT completed_at FROM runs
               WHERE organization_id = :organization_id AND status = 'completed'
               ORDER BY started_at DESC, sync_id DESC LIMIT 1
           ) AS last_sync_time,
           (
               SELECT patients_reported FROM runs
               WHERE organization_id = :organization_id AND patients_reported IS NOT NULL
               ORDER BY started_at DESC, sync_id DESC LIMIT 1
           ) AS patients_reported
    FROM appointments_of_patient
""")

NEWEST_RUNS = text("""
    SELECT sync_id AS id, mode, status, records_processed, records_success, records_failed, started_at, completed_at
    FROM runs
    WHERE organization_id = :organization_id
    ORDER BY started_at DESC, sync_id DESC
    LIMIT :limit
""")
