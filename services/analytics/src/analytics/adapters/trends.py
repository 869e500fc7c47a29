"""SQL that counts what happened around a day, and keeps the answer while it is true.

It stays true until the clinic is touched (`counting.py` then drops it) or the day is over. It is counted and kept under
`counting.CLAIM`: so nobody can drop an answer between its counting and its keeping.
"""

from sqlalchemy import text

KEPT = text("""
    SELECT CAST(counts AS text) FROM trends
    WHERE organization_id = :organization_id AND timeframe = :timeframe AND today = :today
""")

_PLACE = """
    CROSS JOIN LATERAL (
        SELECT CAST(:today AS date) - CAST({moment} AT TIME ZONE 'UTC' AS date) AS age
    ) AS distance
    CROSS JOIN LATERAL (SELECT age / :days AS period, age % :days / :step AS point) AS place
"""

COUNT = text(f"""
    WITH events AS MATERIALIZED (
        SELECT metric, period, point, appointment_type_id, practitioner_id, appointment.cliniko_patient_id
        FROM patients AS patient
        JOIN appointments AS appointment USING (organization_id, cliniko_patient_id)
        CROSS JOIN LATERAL (VALUES
            ('bookings', true, appointment.created_at),
            ('appointments', counted, starts_at),
            ('cancellations', state = 'cancelled', cancelled_at),
            ('no_shows', state = 'missed', starts_at)
        ) AS event (metric, happened, moment)
        {_PLACE.format(moment="moment")}
        WHERE organization_id = :organization_id AND listed AND state <> 'removed'
          AND (appointment.created_at >= :since OR starts_at >= :since OR cancelled_at >= :since)
          AND happened AND moment >= :since AND moment < :until
    ),
    arrivals AS (
        SELECT period, point FROM patients
        {_PLACE.format(moment="created_at")}
        WHERE organization_id = :organization_id AND listed AND created_at >= :since AND created_at < :until
    ),
    counted AS (
        SELECT period, grouping(point, appointment_type_id, practitioner_id) AS dimension,
               point, appointment_type_id, practitioner_id, metric, count(*)
        FROM events
        GROUP BY GROUPING SETS (
            (period, metric), (period, metric, point),
            (period, metric, appointment_type_id), (period, metric, practitioner_id)
        )
        UNION ALL
        SELECT period, grouping(point, appointment_type_id, practitioner_id),
               point, appointment_type_id, practitioner_id, 'active_patients', count(DISTINCT cliniko_patient_id)
        FROM events WHERE metric = 'appointments'
        GROUP BY GROUPING SETS (
            (period), (period, point), (period, appointment_type_id), (period, practitioner_id)
        )
        UNION ALL
        SELECT period, CASE grouping(point) WHEN 0 THEN 3 ELSE 7 END, point, NULL, NULL, 'new_patients', count(*)
        FROM arrivals
        GROUP BY GROUPING SETS ((period), (period, point))
    ),
    told AS (
        SELECT period,
               CASE dimension
                   WHEN 7 THEN 'all' WHEN 3 THEN 'point' WHEN 5 THEN 'appointment_type' ELSE 'practitioner'
               END AS dimension,
               coalesce(CAST(point AS text), appointment_type_id, practitioner_id) AS key,
               metric,
               count
        FROM counted
    )
    INSERT INTO trends AS known (organization_id, timeframe, today, counts)
    SELECT :organization_id, :timeframe, :today, coalesce(jsonb_agg(to_jsonb(told)), '[]') FROM told
    ON CONFLICT (organization_id, timeframe) DO UPDATE SET today = excluded.today, counts = excluded.counts
    RETURNING CAST(counts AS text)
""")

NAMES = text("""
    SELECT
        (SELECT CAST(coalesce(jsonb_object_agg(appointment_type_id, name), '{}') AS text) FROM appointment_types
         WHERE organization_id = :organization_id) AS appointment_types,
        (SELECT CAST(coalesce(jsonb_object_agg(practitioner_id, name), '{}') AS text) FROM practitioners
         WHERE organization_id = :organization_id) AS practitioners
""")
