"""What people type into Cliniko arrives whole, or cleaned, but never stops a page."""

import pytest
from services.patients.tests.clinic import DAY, HOUR, NOON, Clinic

ODD = [
    'quo"ted',
    "back\\slash",
    "new\nline\ttab",
    "\u0001control",
    "😀 \u2028",
    "%(name)s :name $1",
    "\\u0000",
]


@pytest.mark.parametrize("odd", ODD)
async def test_any_text_is_read_as_it_was_written(clinic: Clinic, odd: str) -> None:
    await clinic.hears(
        clinic.page(clinic.patient(1, first_name="x", last_name=odd + "y", email=odd + "@")),
        clinic.page(clinic.type(7, odd)),
        clinic.page(clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="7", notes=odd)),
    )
    (patient,) = await clinic.listed()
    assert (patient["name"], patient["email"]) == (f"x {odd}y", f"{odd}@")
    assert (patient["next_appointment_type"], patient["treatment_notes"]) == (odd, odd)


async def test_the_character_postgresql_cannot_keep_is_left_out(clinic: Clinic) -> None:
    await clinic.hears(
        clinic.page(clinic.patient(1, first_name="A\0da", email="\0")),
        clinic.page(clinic.type(7, "Physio\0")),
        clinic.page(clinic.practitioner(8, "\0Sam")),
        clinic.page(clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="7", practitioner_id="8", notes="a\0b")),
    )
    (patient,) = await clinic.listed()
    assert (patient["name"], patient["email"], patient["treatment_notes"]) == ("Ada", None, "ab")
    assert patient["upcoming_appointments"][0]["practitioner"] == "Sam"


async def test_times_far_away_are_kept(clinic: Clinic) -> None:
    far = NOON.replace(year=9999)
    await clinic.hears(
        clinic.page(clinic.patient(1)),
        clinic.page(clinic.appointment(1, 1, far), clinic.appointment(2, 1, NOON.replace(year=1))),
    )
    (patient,) = await clinic.listed()
    assert patient["next_appointment_time"] == "9999-06-30T12:00:00.000Z"
    assert patient["first_appointment_date"] == "0001-06-30T12:00:00.000Z"
    assert (await clinic.get("patients", limit=1))["next_cursor"] is None


async def test_an_appointment_without_a_known_type_has_none(clinic: Clinic) -> None:
    await clinic.hears(
        clinic.page(clinic.patient(1)),
        clinic.page(
            clinic.appointment(1, 1, NOON + HOUR, appointment_type_id="404"), clinic.appointment(2, 1, NOON - DAY)
        ),
    )
    (patient,) = await clinic.listed()
    assert (patient["next_appointment_type"], patient["primary_appointment_type"]) == (None, None)
