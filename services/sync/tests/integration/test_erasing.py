"""A patient whom their clinic has had erased is landed, announced and sent again no more."""

from services.sync.tests.reader import Reader, fill
from sqlalchemy import text

from sync import handlers
from sync.entrypoints.replay import run as run_replay
from sync.entrypoints.transactions import transactions_of

LEFT = text("SELECT count(*) FROM landed WHERE record ->> 'cliniko_patient_id' = :patient")


async def erase(reader: Reader, patient: int) -> None:
    """The reader forgets too, as the other services do."""
    async with transactions_of(reader.database)(reader.organization_id) as store:
        await handlers.erase_patient(str(patient), store)
    for kind, one in list(reader.states):
        record = reader.states[kind, one][1]
        if record is not None and getattr(record, "cliniko_patient_id", None) == str(patient):
            del reader.states[kind, one]


async def left(reader: Reader, patient: int) -> int:
    async with reader.database.transaction(reader.organization_id) as connection:
        return int(await connection.scalar(LEFT, {"patient": str(patient)}) or 0)


async def test_nothing_of_an_erased_patient_lands_again_and_the_others_go_on(reader: Reader) -> None:
    ada, zoe, *_ = fill(reader.cliniko, 5)
    await reader.sync()
    assert await left(reader, ada) > 1
    await erase(reader, ada)
    assert await left(reader, ada) == 0
    reader.cliniko.pass_time(3600)
    for patient in (ada, zoe):
        reader.cliniko.change("patients", patient, first_name="New")
    for mode in ("incremental", "comprehensive"):
        await reader.sync(mode)
        assert await left(reader, ada) == 0
    assert reader.knows("patients")[str(zoe)].first_name == "New"
    assert str(ada) not in reader.knows("patients")
    assert all(one.cliniko_patient_id != str(ada) for one in reader.knows("appointments").values())


async def test_an_appointment_that_becomes_an_erased_patients_is_nobodys_until_it_is_somebodys_again(
    reader: Reader,
) -> None:
    ada, zoe, *_ = fill(reader.cliniko, 5)
    await reader.sync()
    (moved,) = (one for one, record in reader.knows("appointments").items() if record.cliniko_patient_id == str(zoe))
    for mode in ("incremental", "comprehensive"):
        await erase(reader, ada)
        reader.cliniko.pass_time(3600)
        reader.cliniko.move_appointment(int(moved), ada)
        await reader.sync(mode)
        assert moved not in reader.knows("appointments")
        assert await left(reader, ada) == 0
        reader.cliniko.pass_time(3600)
        reader.cliniko.move_appointment(int(moved), zoe)
        await reader.sync(mode)
        assert reader.knows("appointments")[moved].cliniko_patient_id == str(zoe)


async def test_a_replay_does_not_bring_an_erased_patient_back(reader: Reader) -> None:
    ada, *_ = fill(reader.cliniko, 3)
    await reader.sync()
    await erase(reader, ada)
    reader.states.clear()
    await run_replay([reader.organization_id], reader.database)
    await reader.listen()
    assert len(reader.knows("patients")) == 2
