"""Any history of a clinic, and whom it may lose, against a slow look at each patient."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from services.analytics.tests.conftest import Analytics
from services.analytics.tests.histories import DAY, NOW, TICK, History, histories, moments
from services.analytics.tests.slow import slow_patients

from analytics.adapters.store import Store
from contracts.events import AppointmentsSynced, PatientsSynced
from contracts.records import AppointmentRecord, PatientRecord

LONG_AGO = datetime(2020, 1, 15, tzinfo=UTC)


async def told(analytics: Analytics, organization_id: str, now: datetime, limit: int = 100) -> list[tuple[Any, ...]]:
    """The whole list, page by page: id, risk and reasons."""
    patients, after = [], None
    async with analytics.database.transaction(organization_id) as connection:
        while True:
            page = await Store(connection).patients_at_risk(organization_id, now, risk=None, limit=limit, after=after)
            patients += page.patients
            if page.end is None:
                break
            after = page.end
    assert sum(page.counts.values()) == len(patients)
    assert all(page.counts[risk] == len([p for p in patients if p.risk == risk]) for risk in page.counts)
    return [(one.cliniko_patient_id, one.risk, one.reasons) for one in patients]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=histories(),
    order=st.randoms(use_true_random=False),
    clock=st.lists(st.builds(lambda moment, days: moment + days * DAY, moments, st.integers(0, 400)), max_size=4),
    limit=st.integers(1, 3),
)
async def test_the_list_equals_a_slow_look_at_each_patient_whenever_it_is_read(
    analytics: Analytics, history: History, order: random.Random, clock: list[datetime], limit: int
) -> None:
    events = history.events(3)
    order.shuffle(events)
    await analytics.receive(*events)

    for now in [*clock, NOW]:
        expected = [(one["cliniko_patient_id"], one["risk"], one["reasons"]) for one in slow_patients(history, now)]
        assert await told(analytics, history.organization_id, now, limit) == expected


def visits(organization_id: str, *starts: tuple[int, datetime]) -> list[PatientsSynced | AppointmentsSynced]:
    """One appointment for each patient and moment."""
    version = {"created_at": LONG_AGO, "updated_at": LONG_AGO, "sequence": 1}
    patients = [{**version, "cliniko_patient_id": str(patient)} for patient, _ in starts]
    appointments = [
        {**version, "cliniko_appointment_id": str(n), "cliniko_patient_id": str(patient), "starts_at": start}
        for n, (patient, start) in enumerate(starts)
    ]
    batch: dict[str, Any] = {"organization_id": organization_id, "sync_id": None}
    return [
        PatientsSynced(**batch, records=tuple(PatientRecord.model_validate(one) for one in patients)),
        AppointmentsSynced(**batch, records=tuple(AppointmentRecord.model_validate(one) for one in appointments)),
    ]


async def test_the_risk_rises_the_moment_an_interval_has_passed(analytics: Analytics) -> None:
    await analytics.receive(*visits("org_a", (1, NOW - 20 * DAY), (1, NOW)))
    for age, expected in (
        (-TICK, []),
        (timedelta(), ["low"]),
        (20 * DAY - TICK, ["low"]),
        (20 * DAY, ["medium"]),
        (40 * DAY - TICK, ["medium"]),
        (40 * DAY, ["high"]),
        (365 * DAY - TICK, ["high"]),
        (365 * DAY, ["lost"]),
    ):
        assert [risk for _, risk, _ in await told(analytics, "org_a", NOW + age)] == expected, age


async def test_pages_follow_each_other_though_patients_come_and_go(analytics: Analytics) -> None:
    now = datetime.now(UTC)
    await analytics.receive(*visits("org_a", *((n, now - (40 + n) * DAY) for n in range(1, 7))))
    path = "/api/v1/dashboard/org_a/retention?limit=3"

    first = (await analytics.get(path, caller_of="org_a")).json()
    await analytics.receive(*visits("org_a", (10, now - 35 * DAY)))
    second = (await analytics.get(f"{path}&cursor={first['next_cursor']}", caller_of="org_a")).json()

    assert [one["cliniko_patient_id"] for one in first["patients"]] == ["1", "2", "3"]
    assert [one["cliniko_patient_id"] for one in second["patients"]] == ["4", "5", "6"]
    assert (first["total_count"], second["total_count"], second["next_cursor"]) == (6, 6, None)


async def test_one_level_of_risk_can_be_asked_for(analytics: Analytics) -> None:
    now = datetime.now(UTC)
    await analytics.receive(*visits("org_a", (1, now - DAY), (2, now - 45 * DAY), (3, now - 70 * DAY)))
    medium = (await analytics.get("/api/v1/dashboard/org_a/retention?risk=medium", caller_of="org_a")).json()
    assert [(one["cliniko_patient_id"], one["reasons"]) for one in medium["patients"]] == [
        ("2", ["usual_interval_passed"])
    ]
    assert medium["total_count"] == 1
    assert medium["counts"] == {"high": 1, "medium": 1, "low": 1, "lost": 0}


async def test_what_is_no_cursor_or_no_risk_is_refused(analytics: Analytics) -> None:
    for query in ("cursor=nonsense", "cursor=WzEsMl0=", "risk=huge", "limit=0", "limit=1001"):
        response = await analytics.get(f"/api/v1/dashboard/org_a/retention?{query}", caller_of="org_a")
        assert (response.status_code, response.json()["error"]) == (400, "Validation error"), query
