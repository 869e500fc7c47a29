"""The statement that counts patients anew, and their clinic with them.

Every fact that comes leaves the ids of its patients in `touched`, in the transaction that records it. Whoever reads
figures first counts those patients, and those whose figures are not true at that moment: `valid_from` is the last
moment at which one of a patient's figures changed by itself, `valid_until` the next one. The clinic's figures are sums:
what a patient adds is what they are counted for now less what they were counted for before.

One transaction counts a clinic at a time (`CLAIM`): it gathers the marks there are (`GATHER`) and counts them piece by
piece. A mark that comes later stays for the next one, and so do its facts where they are not seen yet.
"""

from sqlalchemy import text

from analytics.domain.retention import (
    INTERVAL_DAYS_AFTER_ONE_VISIT,
    LONGEST_INTERVAL_DAYS,
    LOST_DAYS,
    RANKS,
    SHORTEST_INTERVAL_DAYS,
)

# The end of a statement that has `written` patients or their appointments; one may be touched twice in a row, or null.
TOUCH = """
    INSERT INTO touched (organization_id, patients)
    SELECT :organization_id, array_agg(DISTINCT patient)
    FROM written CROSS JOIN LATERAL unnest(ARRAY[{patients}]) AS patient
    WHERE patient IS NOT NULL
    HAVING count(*) > 0
"""

CLAIM = text("SELECT pg_advisory_xact_lock(hashtextextended('figures of ' || :organization_id, 0))")

PIECE = 20_000
"""Patients counted by one statement, in about a second."""

# Each patient once, however many pages touched them: a first sync does so again and again.
GATHER = text("""
    WITH taken AS (
        DELETE FROM touched WHERE organization_id = :organization_id RETURNING patients
    ),
    touched_patients AS (
        SELECT patient, (row_number() OVER (ORDER BY patient) - 1) / :size AS piece
        FROM (SELECT DISTINCT unnest(patients) COLLATE "C" AS patient FROM taken) AS distinct_patients
    )
    INSERT INTO touched (organization_id, patients)
    SELECT :organization_id, array_agg(patient) FROM touched_patients GROUP BY piece
    RETURNING id
""")

# A clinic's figures, each by what a patient adds to it; `sign` takes away what they added before.
_SUMS = {
    "total_patients": "sum(sign)",
    "active_patients": "sum(sign) FILTER (WHERE active)",
    "patients_with_upcoming": "sum(sign) FILTER (WHERE upcoming > 0)",
    "patients_with_recent": "sum(sign) FILTER (WHERE recent > 0)",
    "total_upcoming_appointments": "sum(sign * upcoming)",
    "total_recent_appointments": "sum(sign * recent)",
    "total_all_appointments": "sum(sign * total)",
    "appointments_of_active": "sum(sign * total) FILTER (WHERE active)",
    **{f"risk_{risk}": f"sum(sign) FILTER (WHERE risk = {rank})" for risk, rank in RANKS.items()},
}
_ADDED = ", ".join(f"{name} = known.{name} + excluded.{name}" for name in _SUMS)

# `= ANY(ARRAY(...))` and LATERAL have every row looked up by its key: the planner cannot know how many are due.
# OFFSET 0 has what is computed there computed once, and not wherever it is named.
# A day is 24 hours: those of an interval would follow the session's time zone over a change of the clock.
COUNT_ANEW = text(f"""
    WITH taken AS (
        DELETE FROM touched WHERE organization_id = :organization_id AND id = :piece RETURNING patients
    ),
    outdated AS (
        DELETE FROM trends WHERE organization_id = :organization_id AND EXISTS (SELECT FROM taken)
    ),
    due AS MATERIALIZED (
        SELECT unnest(patients) COLLATE "C" AS cliniko_patient_id FROM taken
        UNION
        SELECT cliniko_patient_id FROM patient_figures
        WHERE organization_id = :organization_id AND valid_until <= :now
        UNION
        SELECT cliniko_patient_id FROM patient_figures
        WHERE organization_id = :organization_id AND valid_from > :now
    ),
    before AS MATERIALIZED (
        SELECT * FROM patient_figures
        WHERE organization_id = :organization_id
          AND cliniko_patient_id = ANY(ARRAY(SELECT cliniko_patient_id FROM due))
    ),
    counted AS MATERIALIZED (
        SELECT
            patient.cliniko_patient_id,
            coalesce(valid_from, '-infinity') AS valid_from,
            coalesce(valid_until, 'infinity') AS valid_until,
            total,
            recent,
            upcoming,
            visits,
            last_visit_at,
            usual_interval_days,
            slipped,
            CASE
                WHEN visits = 0 OR upcoming > 0 THEN NULL
                WHEN :now >= lost_at THEN {RANKS["lost"]}
                ELSE {RANKS["low"]} + least(
                    {RANKS["high"] - RANKS["low"]},
                    CAST(:now >= overdue_at AS int) + CAST(:now >= long_overdue_at AS int)
                    + CAST(slipped IS NOT NULL AS int)
                )
            END AS risk
        FROM patients AS patient
        CROSS JOIN LATERAL (
            SELECT
                count(*) FILTER (WHERE counted) AS total,
                count(*) FILTER (WHERE counted AND starts_at BETWEEN :recent_since AND :now) AS recent,
                count(*) FILTER (WHERE counted AND starts_at > :now) AS upcoming,
                count(*) FILTER (WHERE visited) AS visits,
                min(starts_at) FILTER (WHERE visited) AS first_visit_at,
                max(starts_at) FILTER (WHERE visited) AS last_visit_at,
                max(starts_at) FILTER (WHERE state = 'missed' AND starts_at <= :now) AS missed_at,
                max(starts_at) FILTER (WHERE state = 'cancelled') AS cancelled_at,
                max(starts_at) FILTER (WHERE counted AND starts_at <= :now) AS last_at,
                min(starts_at) FILTER (WHERE counted AND starts_at > :now) AS next_at,
                max(starts_at) FILTER (WHERE counted AND starts_at < :recent_since) AS last_past_at,
                min(starts_at) FILTER (WHERE counted AND starts_at BETWEEN :recent_since AND :now) AS first_recent_at
            FROM appointments
            CROSS JOIN LATERAL (SELECT state IN ('booked', 'arrived') AND starts_at <= :now AS visited) AS visit
            WHERE organization_id = :organization_id AND cliniko_patient_id = patient.cliniko_patient_id
              AND state <> 'removed'
        ) AS history
        CROSS JOIN LATERAL (
            SELECT
                CASE
                    WHEN visits > 1 THEN least({LONGEST_INTERVAL_DAYS}, greatest(
                        {SHORTEST_INTERVAL_DAYS},
                        CAST(round(extract(epoch FROM last_visit_at - first_visit_at) / 86400 / (visits - 1)) AS int)
                    ))
                    WHEN visits = 1 THEN {INTERVAL_DAYS_AFTER_ONE_VISIT}
                END AS usual_interval_days,
                CASE
                    WHEN missed_at > last_visit_at AND missed_at >= coalesce(cancelled_at, '-infinity') THEN 'missed'
                    WHEN cancelled_at > last_visit_at THEN 'cancelled'
                END AS slipped
            OFFSET 0
        ) AS habit
        CROSS JOIN LATERAL (
            SELECT
                last_visit_at + make_interval(hours => 24 * usual_interval_days) AS overdue_at,
                last_visit_at + make_interval(hours => 48 * usual_interval_days) AS long_overdue_at,
                last_visit_at + make_interval(hours => 24 * {LOST_DAYS}) AS lost_at
            OFFSET 0
        ) AS absence
        CROSS JOIN LATERAL (
            SELECT
                last_past_at + make_interval(hours => 720, secs => 0.000001) AS last_expired_at,
                first_recent_at + make_interval(hours => 720, secs => 0.000001) AS first_expires_at
        ) AS recency
        CROSS JOIN LATERAL (
            SELECT
                greatest(
                    last_at, last_expired_at,
                    CASE WHEN overdue_at <= :now THEN overdue_at END,
                    CASE WHEN long_overdue_at <= :now THEN long_overdue_at END,
                    CASE WHEN lost_at <= :now THEN lost_at END
                ) AS valid_from,
                least(
                    next_at, first_expires_at,
                    CASE WHEN overdue_at > :now THEN overdue_at END,
                    CASE WHEN long_overdue_at > :now THEN long_overdue_at END,
                    CASE WHEN lost_at > :now THEN lost_at END
                ) AS valid_until
        ) AS validity
        WHERE organization_id = :organization_id AND listed
          AND patient.cliniko_patient_id = ANY(ARRAY(SELECT cliniko_patient_id FROM due))
    ),
    dropped AS (
        DELETE FROM patient_figures
        WHERE organization_id = :organization_id AND cliniko_patient_id = ANY(ARRAY(
            SELECT cliniko_patient_id FROM before EXCEPT SELECT cliniko_patient_id FROM counted
        ))
    ),
    kept AS (
        INSERT INTO patient_figures (
            organization_id, cliniko_patient_id, valid_from, valid_until, total, recent, upcoming, visits,
            last_visit_at, usual_interval_days, slipped, risk
        )
        SELECT :organization_id, * FROM counted
        ON CONFLICT (organization_id, cliniko_patient_id) DO UPDATE SET
            valid_from = excluded.valid_from, valid_until = excluded.valid_until, total = excluded.total,
            recent = excluded.recent, upcoming = excluded.upcoming, visits = excluded.visits,
            last_visit_at = excluded.last_visit_at, usual_interval_days = excluded.usual_interval_days,
            slipped = excluded.slipped, risk = excluded.risk
    ),
    change AS (
        SELECT 1 AS sign, recent > 0 OR upcoming > 0 AS active, total, recent, upcoming, risk FROM counted
        UNION ALL
        SELECT -1, recent > 0 OR upcoming > 0, total, recent, upcoming, risk FROM before
    )
    INSERT INTO clinic_figures AS known (organization_id, {", ".join(_SUMS)})
    SELECT :organization_id, {", ".join(f"coalesce({sum_}, 0)" for sum_ in _SUMS.values())}
    FROM change
    HAVING count(*) > 0
    ON CONFLICT (organization_id) DO UPDATE SET {_ADDED}
""")
