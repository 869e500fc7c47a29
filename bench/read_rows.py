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

FIRST_NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hugo", "Ida", "Jon", "Kay", "Leo", "Quinn")
LAST_NAMES = ("Abbott", "Baker", "Clark", "Dixon", "Evans", "Foster", "Grant", "Hughes", "Irwin", "Nolan", "Osborne")
A_MILLION = 1_000_000
"""Between the ids of two clinics' patients."""

# For the clinic $1, number $2, with $3 patients, relative to $4. `a` counts the active ones from 0 to 36: the first 13
# came twice and come no more, the last 24 come again, four of them twice. `chance` is the same each time.
APPOINTMENTS = """
    INSERT INTO patients.appointments (
        organization_id, cliniko_appointment_id, cliniko_patient_id, appointment_type_id, practitioner_id,
        starts_at, ends_at, notes, patient_arrived, did_not_arrive, cancelled_at, created_at, updated_at, sequence
    )
    SELECT
        $1,
        (patient * 100 + visit)::text,
        patient::text,
        (1 + chance % 8)::text,
        (1 + (n + visit) % 12)::text,
        starts_at,
        starts_at + interval '45 minutes',
        CASE WHEN chance % 3 > 0 THEN format('Visit %s: moves better, exercises as before, two weeks', visit) END,
        NOT upcoming AND chance % 19 > 0,
        NOT upcoming AND chance % 19 = 0,
        CASE WHEN NOT upcoming AND NOT recent AND chance % 13 = 0 THEN starts_at - interval '1 day' END,
        starts_at - interval '14 days',
        least(starts_at, $4::timestamptz),
        1 + visit
    FROM generate_series(0, $3::integer - 1) AS n
    CROSS JOIN LATERAL (SELECT
        $2::bigint * 1000000 + n AS patient,
        CASE WHEN n % 650 % 17 = 0 AND n % 650 < 629 THEN n % 650 / 17 END AS a
    ) AS person
    CROSS JOIN LATERAL (SELECT
        CASE WHEN a >= 33 THEN 2 WHEN a >= 13 THEN 1 ELSE 0 END AS upcoming_visits,
        CASE WHEN a < 13 THEN 2 WHEN a < 32 THEN 1 ELSE 0 END AS recent_visits,
        CASE WHEN a IS NOT NULL THEN 34 WHEN n % 4 = 0 THEN 4 ELSE 3 END AS visits
    ) AS habit
    CROSS JOIN LATERAL generate_series(0, visits - 1) AS visit
    CROSS JOIN LATERAL (SELECT
        visit < upcoming_visits AS upcoming,
        visit BETWEEN upcoming_visits AND upcoming_visits + recent_visits - 1 AS recent,
        n * 31 + visit * 17 + $2 * 7 AS chance
    ) AS kind
    CROSS JOIN LATERAL (SELECT $4::timestamptz + interval '15 minutes' * CASE
        WHEN upcoming THEN 8 + chance % 2600
        WHEN recent THEN -8 - chance % 2500
        ELSE -3100 - chance * 61 % 130000
    END AS starts_at) AS time
    ORDER BY n, visit
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
