"""What the clinics of `make bench-reads` consist of, made the same way every time, relative to the moment of loading.

In 650 patients 37 are active, with 45 recent, 28 upcoming and 34 appointments each in all, as in the API reference's
sample; the others have three or four old ones: five a patient. Appointments start at quarter hours.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from contracts.records import PatientRecord, PhoneNumber
from patients.domain.patient import Patient
from read_clinics import Clinic

FIRST_NAMES = (
    "Ada Ben Cleo Dan Eva Finn Gia Hugo Ida Jon Kay Leo Mia Ned Ola Pia Quinn Rex Sue Tom Una Vic Wendy Xena Yul Zoe"
).split()
LAST_NAMES = "Abbott Baker Clark Dixon Evans Foster Grant Hughes Irwin Jones Keller Lowe Mason Nolan Osborne".split()
A_MILLION = 1_000_000

# `a` counts the active ones from 0 to 36: the first 13 came twice and come no more, 24 come again, four of them twice.
PATIENT_NUMBERS = """
    SELECT n, (n % 650) / 17 AS a, (n % 650) % 17 = 0 AND n % 650 < 629 AS active
    FROM generate_series(0, $3::integer - 1) AS n
"""
VISITS = f"""
    SELECT n, j, upcoming, j < upcoming + recent AS current, j < upcoming AS ahead, (n * 31 + j * 17 + $2 * 7) AS chance
    FROM ({PATIENT_NUMBERS}) AS patient
    CROSS JOIN LATERAL (SELECT
        CASE WHEN NOT active OR a < 13 THEN 0 WHEN a < 33 THEN 1 ELSE 2 END AS upcoming,
        CASE WHEN NOT active OR a >= 32 THEN 0 WHEN a < 13 THEN 2 ELSE 1 END AS recent,
        CASE WHEN active THEN 34 WHEN n % 4 = 0 THEN 4 ELSE 3 END AS total
    ) AS habits
    CROSS JOIN LATERAL generate_series(0, total - 1) AS j
"""
APPOINTMENTS = f"""
    INSERT INTO patients.appointments (
        organization_id, cliniko_appointment_id, cliniko_patient_id, appointment_type_id, practitioner_id,
        starts_at, ends_at, notes, patient_arrived, did_not_arrive, cancelled_at, created_at, updated_at, sequence
    )
    SELECT
        $1::text,
        (($2::bigint * {A_MILLION} + n) * 100 + j)::text,
        ($2::bigint * {A_MILLION} + n)::text,
        (1 + chance % 8)::text,
        (1 + (n + j) % 12)::text,
        starts_at,
        starts_at + interval '45 minutes',
        CASE WHEN chance % 3 > 0 THEN 'Visit ' || j || ': range of movement better, exercises as before, two weeks' END,
        NOT ahead AND chance % 19 > 0,
        NOT ahead AND chance % 19 = 0,
        CASE WHEN NOT current AND chance % 13 = 0 THEN starts_at - interval '1 day' END,
        starts_at - interval '14 days',
        least(starts_at, $4::timestamptz),
        1 + j
    FROM ({VISITS}) AS visit
    CROSS JOIN LATERAL (SELECT $4::timestamptz + interval '15 minutes' * CASE
        WHEN ahead THEN 8 + chance % 2600
        WHEN current THEN -8 - chance % 2500
        ELSE -3100 - chance * 61 % 130000
    END AS starts_at) AS time
    ORDER BY n, j
"""


def patients(clinic: Clinic, now: datetime) -> Iterator[tuple[Any, ...]]:
    """Rows of the service's table, through the service's own definition of a patient."""
    for number in range(clinic.patients):
        patient = Patient.of(clinic.organization_id, _record(clinic, number, now), now - timedelta(days=number % 40))
        yield (clinic.organization_id, *(getattr(patient, name) for name in Patient.__dataclass_fields__))


def _record(clinic: Clinic, number: int, now: datetime) -> PatientRecord:
    first = FIRST_NAMES[(number + clinic.number) % len(FIRST_NAMES)]
    last = LAST_NAMES[number * 7 // 5 % len(LAST_NAMES)]
    return PatientRecord(
        cliniko_patient_id=str(clinic.number * A_MILLION + number),
        first_name=first,
        last_name=last,
        email=f"{first}.{last}{number}@example.com".lower(),
        phone_numbers=(PhoneNumber(type="Mobile", number=f"04{number * 7919 % 100_000_000:08}"),),
        created_at=now - timedelta(days=1500 - number % 1000),
        updated_at=now - timedelta(days=number % 40),
        sequence=1,
    )
