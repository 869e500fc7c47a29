"""What Clerk tells, signed as its emulator signs."""

import json
import time
from base64 import b64decode
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from services.admin.tests.conftest import Admin, connection, figures
from sqlalchemy import text

from admin.domain.webhooks import secrets_in
from admin.entrypoints.webhooks import MOST_BYTES
from clerk_emulator.webhooks import event, signed
from contracts.events import OrganizationDeleted

SECRET, NEXT_SECRET = "A" * 32, "B" * 32
KEY = b64decode(SECRET)
ORGANIZATIONS = text("SELECT organization_id, deleted_at IS NOT NULL FROM organizations")


@pytest.fixture(autouse=True)
def told_secrets(admin: Admin) -> None:
    admin.app.state.webhook_secrets = secrets_in(f"whsec_{NEXT_SECRET},whsec_{SECRET}")


async def post(admin: Admin, body: bytes, headers: Any) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(admin.app), base_url="http://admin") as client:
        return await client.post("/api/v1/webhooks/clerk", content=body, headers=headers)


async def tell(admin: Admin, kind: str, organization_id: str = "org_a", message_id: str = "msg_1") -> httpx.Response:
    body = json.dumps(event(kind, organization_id, 1751284800000)).encode()
    return await post(admin, body, signed(KEY, message_id, int(time.time()), body))


def counted(outcome: str) -> float:
    return REGISTRY.get_sample_value("routiq_admin_clerk_messages_total", {"outcome": outcome}) or 0.0


async def known(admin: Admin, organization_id: str = "org_a") -> list[tuple[str, bool]]:
    async with admin.database.transaction(organization_id) as connection:
        return [tuple(row) for row in await connection.execute(ORGANIZATIONS)]


async def recorded(admin: Admin, organization_id: str = "org_a") -> list[str]:
    async with admin.database.transaction(organization_id) as connection:
        return list(await connection.scalars(text("SELECT kind FROM audit_entries ORDER BY position")))


async def announced(admin: Admin) -> list[OrganizationDeleted]:
    async with admin.database.transaction() as connection:
        bodies = await connection.scalars(text("SELECT body FROM outbox ORDER BY id"))
        return [OrganizationDeleted.model_validate_json(body) for body in bodies]


async def test_an_organization_appears_when_clerk_says_so(admin: Admin) -> None:
    assert (await tell(admin, "organization.created")).status_code == 204
    assert await known(admin) == [("org_a", False)]
    assert await recorded(admin) == ["organization.created"]
    health = (await admin.get("/api/v1/admin/monitoring/system-health")).json()
    assert health["metrics"]["total_organizations"] == 1


async def test_a_deleted_organization_is_announced_and_counts_no_more_but_its_record_stays(admin: Admin) -> None:
    await admin.receive(connection("org_a"), figures("org_a", 10, 5), figures("org_b", 1, 1))
    assert (await tell(admin, "organization.deleted")).status_code == 204
    (deleted,) = await announced(admin)
    assert (deleted.organization_id, deleted.occurred_at.isoformat()) == ("org_a", "2025-06-30T12:00:00+00:00")
    assert await known(admin) == [("org_a", True)]
    assert await recorded(admin) == ["connection.changed", "organization.deleted"]
    metrics = (await admin.get("/api/v1/admin/monitoring/system-health")).json()["metrics"]
    assert (metrics["total_organizations"], metrics["total_patients"]) == (1, 1)


async def test_a_message_told_again_has_no_further_effect(admin: Admin) -> None:
    for _ in range(3):
        assert (await tell(admin, "organization.deleted")).status_code == 204
    assert len(await announced(admin)) == 1
    assert await recorded(admin) == ["organization.deleted"]


async def test_what_was_deleted_does_not_come_back_by_a_message_that_is_late(admin: Admin) -> None:
    for number, kind in enumerate(("deleted", "created", "updated")):
        await tell(admin, f"organization.{kind}", message_id=f"msg_{number}")
    assert await known(admin) == [("org_a", True)]


async def test_a_clinic_connected_after_it_was_deleted_is_announced_as_deleted_again(admin: Admin) -> None:
    await tell(admin, "organization.deleted")
    await admin.receive(connection("org_a", revision=1, connected=False), connection("org_b"))
    assert len(await announced(admin)) == 1
    await admin.receive(connection("org_a", revision=2))
    assert [one.organization_id for one in await announced(admin)] == ["org_a", "org_a"]


async def test_an_organization_that_only_changed_is_known_and_nothing_is_on_record(admin: Admin) -> None:
    assert (await tell(admin, "organization.updated")).status_code == 204
    assert (await known(admin), await recorded(admin)) == ([("org_a", False)], [])


@pytest.mark.parametrize("kind", ["user.created", "organizationMembership.deleted", "organization.invented"])
async def test_what_is_none_of_our_business_is_taken_and_ignored(admin: Admin, kind: str) -> None:
    assert (await tell(admin, kind)).status_code == 204
    assert await known(admin) == []


@pytest.mark.parametrize("organization_id", [None, 7, "", "org_a; DROP TABLE", "user_1", "org_" + "a" * 65])
async def test_an_organization_that_cannot_be_one_is_refused(admin: Admin, organization_id: Any) -> None:
    body = json.dumps({"type": "organization.created", "data": {"id": organization_id}}).encode()
    answer = await post(admin, body, signed(KEY, "msg_1", int(time.time()), body))
    assert answer.status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"data": {}}', b"\xff"])
async def test_a_body_that_is_no_message_is_refused_though_it_is_signed(admin: Admin, body: bytes) -> None:
    answer = await post(admin, body, signed(KEY, "msg_1", int(time.time()), body))
    assert (answer.status_code, answer.json()["detail"]) == (400, "This is no message of Clerk's.")


async def test_a_message_that_was_tampered_with_or_is_old_or_unsigned_changes_nothing(admin: Admin) -> None:
    body = json.dumps(event("organization.deleted", "org_a", 0)).encode()
    fresh, old = signed(KEY, "msg_1", int(time.time()), body), signed(KEY, "msg_1", int(time.time()) - 301, body)
    foreign = signed(b"C" * 24, "msg_1", int(time.time()), body)
    before = counted("refused")
    for sent, headers in ((body.replace(b"org_a", b"org_b"), fresh), (body, old), (body, foreign), (body, {})):
        assert (await post(admin, sent, headers)).status_code == 401
    assert counted("refused") - before == 4
    assert (await announced(admin), await known(admin)) == ([], [])


async def test_a_message_that_is_too_large_is_not_read_to_its_end(admin: Admin) -> None:
    body = b" " * (MOST_BYTES + 1)
    assert (await post(admin, body, signed(KEY, "msg_1", int(time.time()), body))).status_code == 413


async def test_without_a_secret_nothing_is_believed(admin: Admin) -> None:
    admin.app.state.webhook_secrets = ()
    before = counted("unchecked")
    answer = await tell(admin, "organization.deleted")
    assert answer.status_code == 503
    assert "CLERK_WEBHOOK_SECRET" in answer.json()["detail"]
    assert counted("unchecked") - before == 1
    assert await announced(admin) == []
