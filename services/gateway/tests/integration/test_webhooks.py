"""What Clerk tells passes without a session, and without anybody being vouched for."""

from typing import Any

import httpx

from chassis.identity import HEADER

PATH = "/api/v1/webhooks/clerk"
SIGNED = {"svix-id": "msg_1", "svix-timestamp": "1614265330", "svix-signature": "v1,abc v1,def"}


async def test_a_message_reaches_admin_as_it_was_signed(gateway: httpx.AsyncClient, services: Any) -> None:
    body = b'{"type": "organization.created", "data": {"id": "org_a"}}  '
    answer = await gateway.post(PATH, content=body, headers=SIGNED)
    assert answer.status_code == 204
    assert answer.headers["x-ratelimit-limit"] == "1000"
    ((headers, heard),) = services["admin"].heard
    assert heard == body
    assert SIGNED.items() <= headers.items()


async def test_nobody_vouches_for_the_sender_whatever_they_claim(
    gateway: httpx.AsyncClient, services: Any, clerk: Any
) -> None:
    forged = {HEADER: "forged", **clerk.bearer(role="admin", org="org_platform")}
    await gateway.post(PATH, content=b"{}", headers={**SIGNED, **forged})
    ((headers, _),) = services["admin"].heard
    assert HEADER not in headers
    assert "authorization" not in headers


async def test_a_flood_of_messages_is_limited_by_address(gateway: httpx.AsyncClient, services: Any) -> None:
    left = int((await gateway.post(PATH, content=b"{}")).headers["x-ratelimit-remaining"])
    assert int((await gateway.post(PATH, content=b"{}")).headers["x-ratelimit-remaining"]) == left - 1
    assert len(services["admin"].heard) == 2


async def test_a_message_larger_than_a_body_may_be_is_refused(start_gateway: Any, services: Any) -> None:
    gateway = await start_gateway(body_limit=100)
    assert (await gateway.post(PATH, content=b" " * 101, headers=SIGNED)).status_code == 413
    assert services["admin"].heard == []
