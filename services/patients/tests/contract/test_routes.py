"""This service against the map and the events everybody shares."""

from collections.abc import Awaitable, Callable

import pytest
from services.patients.tests.clinic import NOON, opened_clinic
from sqlalchemy import text

from contracts.base import Event
from contracts.events import AppointmentsSynced, PatientsSynced
from contracts.examples import EXAMPLES
from contracts.routes import received_by
from patients.entrypoints.consumers import consumers
from patients.entrypoints.shapes import Patient, PatientList

RECEIVED = [route.event for route in received_by("patients")]


def test_the_service_hears_exactly_what_the_map_says() -> None:
    assert {s.queue for s in consumers.subscriptions} == {route.queue("patients") for route in received_by("patients")}


async def test_the_examples_are_applied_confirmed_and_read_once(
    new_database: Callable[[str], Awaitable[str]],
) -> None:
    received = [example for example in EXAMPLES if type(example) in RECEIVED]
    received.sort(
        key=lambda example: isinstance(example, (PatientsSynced, AppointmentsSynced))
    )  # read at NOON, not now
    async with opened_clinic(await new_database("patients")) as clinic:
        clinic.organization_id, clinic.now = "org_example", NOON
        for example in received * 2:
            (subscription,) = (s for s in consumers.subscriptions if s.event is type(example))
            await consumers.handle(subscription, example.model_dump_json().encode(), clinic.database)
        response = await clinic.request("/api/v1/patients/org_example/patients")
        async with clinic.database.transaction() as connection:
            announced = (await connection.execute(text("SELECT routing_key FROM outbox"))).scalars().all()
    answer = PatientList.model_validate_json(response.content)
    assert [(patient.name, patient.next_appointment_type) for patient in answer.patients] == [
        ("Ada Example", "Physiotherapy")
    ]
    assert announced == ["patients.batch.applied.v1"] * len(received) + ["patients.records.read.v1"]
    assert list(response.json()) == list(PatientList.model_fields)
    assert list(response.json()["patients"][0]) == list(Patient.model_fields)


@pytest.mark.parametrize("event", RECEIVED)
def test_every_event_heard_has_an_example(event: type[Event]) -> None:
    assert event in {type(example) for example in EXAMPLES}
