"""SQL that reads. One statement sees one moment of the database, so its figures agree with each other."""

from sqlalchemy import text

_LAST_SYNC_TIME = """(
    SELECT completed_at FROM runs
    WHERE organization_id = :organization_id AND status = 'completed'
    ORDER BY started_at DESC, sync_id DESC LIMIT 1
)"""

_NEWEST_RUNS = """(
    SELECT coalesce(json_agg(run ORDER BY started_at DESC, id DESC), '[]')::text
    FROM (
        SELECT sync_id AS id, mode, status, records_processed, records_success, records_failed,
               started_at, completed_at, CAST(:now AS timestamptz) AS now
        FROM runs
        WHERE organization_id = :organization_id
        ORDER BY started_at DESC, sync_id DESC
        LIMIT :runs
    ) AS run
)"""

# `stale`: whether somebody must be counted anew before the sums are true at that moment.
FIGURES = text(f"""
    SELECT coalesce(total_patients, 0) AS total_patients,
           coalesce(active_patients, 0) AS active_patients,
           coalesce(patients_with_upcoming, 0) AS patients_with_upcoming,
           coalesce(patients_with_recent, 0) AS patients_with_recent,
           coalesce(total_upcoming_appointments, 0) AS total_upcoming_appointments,
           coalesce(total_recent_appointments, 0) AS total_recent_appointments,
           coalesce(total_all_appointments, 0) AS total_all_appointments,
           coalesce(appointments_of_active, 0) AS appointments_of_active,
           EXISTS (SELECT FROM touched WHERE organization_id = :organization_id)
           OR EXISTS (SELECT FROM patient_figures WHERE organization_id = :organization_id AND valid_until <= :now)
           OR EXISTS (SELECT FROM patient_figures WHERE organization_id = :organization_id AND valid_from > :now)
           AS stale,
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
           {_LAST_SYNC_TIME} AS last_sync_time,
           {_NEWEST_RUNS} AS newest_runs,
           (
               SELECT patients_reported FROM runs
               WHERE organization_id = :organization_id AND patients_reported IS NOT NULL
               ORDER BY started_at DESC, sync_id DESC LIMIT 1
           ) AS patients_reported
    FROM (SELECT) AS nothing_known
    LEFT JOIN clinic_figures ON organization_id = :organization_id
""")

# For who asks about the runs while a sync is at work: nobody is counted anew.
ACTIVITY = text(f"SELECT {_NEWEST_RUNS} AS newest_runs, {_LAST_SYNC_TIME} AS last_sync_time")

# A row comparison in the index's own order, backwards: the first page costs what the last one costs.
PATIENTS_AT_RISK = text("""
    SELECT risk_high, risk_medium, risk_low, risk_lost, page.*
    FROM clinic_figures
    LEFT JOIN LATERAL (
        SELECT cliniko_patient_id, risk, visits, last_visit_at, usual_interval_days, slipped
        FROM patient_figures
        WHERE organization_id = :organization_id AND risk BETWEEN :lowest AND :highest
          AND (risk, last_visit_at, cliniko_patient_id)
              < (CAST(:after_rank AS int), CAST(:after_visit AS timestamptz), CAST(:after_patient AS text))
        ORDER BY risk DESC, last_visit_at DESC, cliniko_patient_id DESC
        LIMIT :limit
    ) AS page ON true
    WHERE organization_id = :organization_id
    ORDER BY risk DESC, last_visit_at DESC, cliniko_patient_id DESC
""")
