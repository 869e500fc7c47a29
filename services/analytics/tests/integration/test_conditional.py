"""What a client may keep, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest
from services.analytics.tests.conftest import Analytics
from services.analytics.tests.integration.test_dashboard import appointments, connected, patients, run

from analytics.adapters.store import Store
from analytics.entrypoints import examples
from analytics.entrypoints.conditional import answer
from analytics.entrypoints.shapes import Dashboard, Summary

PATHS = ["/summary", "/analytics", "/charts?timeframe=1y", "/retention"]
WHOLE = ["", "/activity", *PATHS]


async def synced(analytics: Analytics) -> None:
    day = timedelta(days=1)
    await analytics.receive(
        connected("org_a"), patients("org_a", 3), appointments("org_a", ("0", 2 * day), ("1", -2 * day)), run("org_a")
    )


@pytest.mark.parametrize("path", PATHS)
async def test_a_client_that_has_the_answer_is_told_so_until_something_changes(analytics: Analytics, path: str) -> None:
    await synced(analytics)
    url = f"/api/v1/dashboard/org_a{path}"
    first = await analytics.get(url, "org_a")
    known = {"If-None-Match": f'"other", {first.headers["ETag"]}'}

    again = await analytics.get(url, "org_a", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Last-Modified"] == first.headers["Last-Modified"]

    await analytics.receive(patients("org_a", 4), appointments("org_a", *(("3", -timedelta(days=n)) for n in range(9))))
    changed = await analytics.get(url, "org_a", headers=known)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("path", WHOLE)
async def test_every_answer_tells_the_age_of_its_figures(analytics: Analytics, path: str) -> None:
    url = f"/api/v1/dashboard/org_a{path}"
    assert "Last-Modified" not in (await analytics.get(url, "org_a")).headers
    await synced(analytics)
    response = await analytics.get(url, "org_a")
    assert response.headers["Last-Modified"] == "Mon, 30 Jun 2025 01:06:00 GMT"
    assert response.headers["Cache-Control"] == "private, no-cache"
    if path in PATHS:
        assert response.json()["last_sync_time"] == "2025-06-30T01:06:00.000Z"


async def test_another_clinics_validator_is_worth_nothing(analytics: Analytics) -> None:
    tag = (await analytics.get("/api/v1/dashboard/org_a/summary", "org_a")).headers["ETag"]
    other = await analytics.get("/api/v1/dashboard/org_b/summary", "org_b", headers={"If-None-Match": tag})
    assert other.status_code == 200
    refused = await analytics.get("/api/v1/dashboard/org_a/summary", "org_b", headers={"If-None-Match": tag})
    assert refused.status_code == 404


async def test_figures_that_the_clock_changes_are_sent_again(analytics: Analytics) -> None:
    await synced(analytics)
    now = datetime.now(UTC)
    tags = []
    for moment in (now, now + timedelta(seconds=1), now + timedelta(days=3)):
        async with analytics.database.transaction("org_a") as connection:
            figures = await Store(connection).figures("org_a", moment)
        tags.append(answer(Summary.model_validate(figures), None, None).headers["ETag"])
    assert tags[0] == tags[1] != tags[2]


def test_how_long_ago_a_sync_was_is_covered_and_when_the_document_was_made_is_not() -> None:
    def tag(timestamp: str, minutes_ago: float) -> str:
        summary = {**examples.SUMMARY, "generated_at": timestamp}
        activity = {**examples.ACTIVITY, "minutes_ago": minutes_ago}
        told = {**examples.DASHBOARD, "timestamp": timestamp, "summary": summary, "recent_activity": [activity]}
        return answer(Dashboard.model_validate(told), None, None).headers["ETag"]

    assert tag("2025-06-30T12:00:00Z", 54.0) == tag("2025-06-30T12:00:03Z", 54.0)
    assert tag("2025-06-30T12:00:00Z", 54.0) != tag("2025-06-30T12:00:00Z", 54.1)
