"""The generated clinic itself."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cliniko_emulator.accounts import DEFAULT_ACCOUNTS, Account, parse_account
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.records import Appointment
from cliniko_emulator.world.generate import generate

TODAY = date(2026, 3, 31)
NOW = int(datetime(2026, 3, 31, 12, tzinfo=UTC).timestamp())


@pytest.fixture(scope="module", params=DEFAULT_ACCOUNTS, ids=lambda account: account.key)
def clinic(request: pytest.FixtureRequest) -> Clinic:
    return generate(request.param, TODAY)


def counted(clinic: Clinic) -> list[Appointment]:
    hidden = ("cancelled_at", "archived_at", "deleted_at")
    return [one for one in clinic.individual_appointments if not any(getattr(one, name) for name in hidden)]


def active_patients(clinic: Clinic, now: int = NOW) -> set[int | None]:
    return {one.patient_id for one in counted(clinic) if one.starts_at >= now - 30 * 86_400}


def contents(clinic: Clinic) -> list[object]:
    tables = (clinic.patients, clinic.individual_appointments, clinic.appointment_types, clinic.practitioners)
    return [list(table) for table in (*tables, clinic.businesses)]


@pytest.mark.parametrize("patients", [0, 1, 7, 40, 300])
def test_the_same_seed_size_and_day_give_the_same_clinic(patients: int) -> None:
    account = Account("MS0-x-au2", seed=9, patients=patients)
    assert contents(generate(account, TODAY)) == contents(generate(account, TODAY))
    assert len(generate(account, TODAY).patients) == patients


def test_another_seed_gives_another_clinic() -> None:
    one, other = (generate(Account("MS0-x-au2", seed=seed, patients=40), TODAY) for seed in (1, 2))
    assert contents(one) != contents(other)


def test_a_day_later_it_is_the_same_clinic_with_the_same_ids(clinic: Clinic) -> None:
    later = generate(clinic.account, TODAY + timedelta(days=1))
    assert [one.id for one in later.patients] == [one.id for one in clinic.patients]
    assert [one.first_name for one in later.patients] == [one.first_name for one in clinic.patients]
    assert [one.id for one in later.individual_appointments] == [one.id for one in clinic.individual_appointments]


@pytest.mark.parametrize("days", range(7))
def test_on_every_day_of_the_week_six_to_twelve_in_a_hundred_patients_are_active(clinic: Clinic, days: int) -> None:
    made = generate(clinic.account, TODAY + timedelta(days=days))
    listed = {one.id for one in made.patients if one.archived_at is None}
    assert 0.06 <= len(active_patients(made, NOW + days * 86_400) & listed) / len(listed) <= 0.12


def test_appointments_have_believable_numbers_and_ends(clinic: Clinic) -> None:
    total = len(clinic.individual_appointments)
    appointments = list(clinic.individual_appointments)
    assert 4 <= total / len(clinic.patients) <= 6
    assert 0.06 <= sum(one.cancelled_at is not None for one in appointments) / total <= 0.11
    assert 0.02 <= sum(one.did_not_arrive is True for one in appointments) / total <= 0.06
    assert any(one.archived_at for one in appointments)
    assert any(one.deleted_at for one in appointments)
    assert {one.id for one in clinic.patients} - {one.patient_id for one in appointments}, "some never came"


def test_times_make_sense(clinic: Clinic) -> None:
    for record in (*clinic.patients, *clinic.individual_appointments, *clinic.practitioners, *clinic.appointment_types):
        assert record.created_at <= record.updated_at <= NOW
    for one in clinic.individual_appointments:
        patient = clinic.patients.get(one.patient_id)
        assert patient
        assert patient.created_at <= one.created_at < one.starts_at < one.ends_at
        assert one.cancelled_at is None or one.created_at <= one.cancelled_at <= one.starts_at
        assert not (one.did_not_arrive and one.ends_at > NOW)


def test_visits_lie_in_the_clinic_s_working_hours_in_summer_and_winter(clinic: Clinic) -> None:
    zone = ZoneInfo(next(iter(clinic.businesses)).time_zone_identifier or "")
    starts = [datetime.fromtimestamp(one.starts_at, zone) for one in clinic.individual_appointments]
    assert all(8 <= start.hour < 18 and start.weekday() < 5 for start in starts)
    assert len({start.utcoffset() for start in starts}) == 2


def test_the_staff_has_what_clients_trip_over(clinic: Clinic) -> None:
    names = [one.name for one in clinic.appointment_types]
    archived = {one.id for one in clinic.appointment_types if one.archived_at}
    inactive = {one.id for one in clinic.practitioners if not one.active}
    assert any("/" in name for name in names)
    assert any(not name.isascii() for name in names)
    assert archived & {one.appointment_type_id for one in counted(clinic)}
    assert inactive & {one.practitioner_id for one in counted(clinic)}


def test_odd_patients_are_among_them(clinic: Clinic) -> None:
    patients = list(clinic.patients)
    names = {(one.first_name, one.last_name) for one in patients}
    assert {("", ""), (None, None), ("  ", ""), ("  Ada ", " Example  "), ("Zoë 🌻", "Núñez-Ångström")} <= names
    assert any("\u0590" <= (one.first_name or " ")[0] <= "\u06ff" for one in patients), "right to left"
    assert {"", None, "   "} <= {one.email for one in patients}
    phones = [one.patient_phone_numbers for one in patients]
    assert None in phones
    assert () in phones
    assert any(phone.normalized_number is None for some in phones for phone in some or ())
    assert any(len({phone.phone_type for phone in some or ()}) == 5 for some in phones)
    assert len(set(phones)) < len(phones) - 10, "families share a telephone"
    assert {8, 19} <= {len(str(one.id)) for one in patients}
    assert {"1900-01-01", "2000-02-29", None} <= {one.date_of_birth for one in patients}


def test_odd_appointments_are_among_them(clinic: Clinic) -> None:
    appointments = list(clinic.individual_appointments)
    assert any(one.appointment_type_id is None for one in appointments)
    assert any(one.practitioner_id is None for one in appointments)
    assert any(len(one.notes or "") > 5_000 for one in appointments)
    assert {"", None} <= {one.notes for one in appointments}
    assert len({one.created_at for one in appointments}) < len(appointments), "a series is booked within one second"


def test_archived_and_merged_patients_are_among_them(clinic: Clinic) -> None:
    archived = {one.id for one in clinic.patients if one.archived_at}
    losers = [one for one in clinic.patients if one.merged_at]
    assert 0.02 <= len(archived) / len(clinic.patients) <= 0.06
    assert active_patients(clinic) & archived, "an archived patient with a coming or recent appointment"
    assert losers
    for loser in losers:
        winner = clinic.patients.get(loser.merged_with_patient_id)
        assert winner
        assert loser.id in archived
        assert (loser.first_name, loser.last_name) == (winner.first_name, winner.last_name)


def test_a_diary_is_filled_up_without_making_anybody_active() -> None:
    small, full = (generate(Account("MS0-x-au2", 9, 200, wanted), TODAY) for wanted in (0, 3_000))
    assert len(small.individual_appointments) < len(full.individual_appointments) == 3_000
    assert active_patients(full) == active_patients(small)
    for one in full.individual_appointments:
        patient = full.patients.get(one.patient_id)
        assert patient
        assert patient.created_at <= one.created_at <= one.updated_at


def test_an_account_is_read_from_text_even_if_its_key_holds_signs() -> None:
    account = parse_account("MS0=a-b=-c-eu12=7:30")
    assert (account.key, account.shard, account.secret) == ("MS0=a-b=-c-eu12", "eu12", "MS0=a-b=-c")
    assert (account.seed, account.patients, account.appointments) == (7, 30, 0)
    assert parse_account("MS0-x-au2=7:30:900").appointments == 900
    assert Account("MS0-nosuffix", 1, 1).shard == "au1"
    with pytest.raises(ValueError, match="KEY=SEED:PATIENTS"):
        parse_account("MS0-au4=many")
