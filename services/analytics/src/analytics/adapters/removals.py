"""SQL that lets go of records, and remembers it: states of them may still be on their way.

Pages are recorded beside each other, removals alone: a page beside one could neither see it nor be seen by it.
"""

from sqlalchemy import text

from analytics.adapters.counting import TOUCH

SHARE = text("SELECT pg_advisory_xact_lock_shared(hashtextextended('facts of ' || :organization_id, 0))")
CLAIM = text("SELECT pg_advisory_xact_lock(hashtextextended('facts of ' || :organization_id, 0))")

REMEMBER = text("""
    INSERT INTO removals AS known (organization_id, kind, cliniko_id, sequence)
    SELECT :organization_id, :kind, cliniko_id, max(sequence)
    FROM jsonb_to_recordset(CAST(:removals AS jsonb)) AS removal (cliniko_id text COLLATE "C", sequence bigint)
    GROUP BY cliniko_id
    ON CONFLICT (organization_id, kind, cliniko_id) DO UPDATE SET sequence = excluded.sequence
    WHERE known.sequence < excluded.sequence
""")

REMOVE_PATIENTS = text(f"""
    WITH written AS (
        DELETE FROM patients USING removals
        WHERE patients.organization_id = :organization_id AND removals.organization_id = :organization_id
          AND removals.kind = 'patient' AND removals.cliniko_id = patients.cliniko_patient_id
          AND removals.sequence > patients.sequence AND removals.cliniko_id = ANY(:ids)
        RETURNING patients.cliniko_patient_id
    )
    {TOUCH.format(patients="cliniko_patient_id")}
""")

REMOVE_APPOINTMENTS = text(f"""
    WITH written AS (
        DELETE FROM appointments USING removals
        WHERE appointments.organization_id = :organization_id AND removals.organization_id = :organization_id
          AND removals.kind = 'appointment' AND removals.cliniko_id = appointments.cliniko_appointment_id
          AND removals.sequence > appointments.sequence AND removals.cliniko_id = ANY(:ids)
        RETURNING appointments.cliniko_patient_id
    )
    {TOUCH.format(patients="cliniko_patient_id")}
""")

KEEP_OUT = text("""
    INSERT INTO erasures (organization_id, cliniko_patient_id, erased_at)
    VALUES (:organization_id, :cliniko_patient_id, :now) ON CONFLICT DO NOTHING
""")

ERASED = text("""
    SELECT cliniko_patient_id FROM erasures
    WHERE organization_id = :organization_id AND cliniko_patient_id = ANY(:patients)
""")

# Their figures go when the clinic is counted anew.
ERASE_PATIENT = text(f"""
    WITH written AS (
        DELETE FROM patients
        WHERE organization_id = :organization_id AND cliniko_patient_id = :cliniko_patient_id
        RETURNING cliniko_patient_id
    )
    {TOUCH.format(patients="cliniko_patient_id")}
""")

# Remembered as removed: an older state, in which one was somebody else's, may still be on its way.
ERASE_APPOINTMENTS = text(f"""
    WITH written AS (
        DELETE FROM appointments
        WHERE organization_id = :organization_id AND cliniko_patient_id = :cliniko_patient_id
        RETURNING cliniko_patient_id, cliniko_appointment_id, sequence
    ),
    remembered AS (
        INSERT INTO removals AS known (organization_id, kind, cliniko_id, sequence)
        SELECT :organization_id, 'appointment', cliniko_appointment_id, sequence FROM written
        ON CONFLICT (organization_id, kind, cliniko_id) DO UPDATE SET sequence = excluded.sequence
        WHERE known.sequence < excluded.sequence
    )
    {TOUCH.format(patients="cliniko_patient_id")}
""")
