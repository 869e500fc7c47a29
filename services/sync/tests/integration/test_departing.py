"""An organization that is gone is left alone."""

from typing import Any

from sqlalchemy import text

from contracts.events import ConnectionChanged, OrganizationDeleted
from sync.entrypoints.consumers import consumers

CLINIC = "org_test_clinic"


async def delete(service: Any, organization_id: str = CLINIC) -> None:
    event = OrganizationDeleted(organization_id=organization_id)
    (subscription,) = (one for one in consumers.subscriptions if one.event is OrganizationDeleted)
    await consumers.handle(subscription, event.model_dump_json().encode(), service.database)


async def test_its_key_is_forgotten_its_run_ended_and_its_schedule_gone(service: Any, control: Any) -> None:
    await control.connect(CLINIC)
    sync_id = await control.start(CLINIC)
    for _ in range(2):
        await delete(service)
    async with service.transactions(CLINIC) as store:
        assert (await store.connections.current()).api_key is None
        assert await store.schedule.plan() is None
    assert (await control.run(CLINIC, sync_id)).status == "failed"
    control.wait(days=3)
    await control.scheduler().tick()
    assert await control.active(CLINIC) is None
    changes = [event for event in await service.announced() if isinstance(event, ConnectionChanged)]
    assert [(change.connected, change.user_id) for change in changes] == [(True, None), (False, None)]


async def test_what_had_landed_stays_and_others_are_not_touched(service: Any, control: Any) -> None:
    for organization_id in (CLINIC, "org_other"):
        await control.connect(organization_id)
    await control.start(CLINIC)
    await control.complete(CLINIC)
    await delete(service)
    async with service.database.transaction(CLINIC) as connection:
        assert await connection.scalar(text("SELECT count(*) FROM runs")) == 1
    async with service.transactions("org_other") as store:
        assert (await store.connections.current()).api_key
        assert await store.schedule.plan()


async def test_one_that_was_never_connected_is_no_failure(service: Any) -> None:
    await delete(service)
    assert await service.announced() == []
