import asyncio

from chassis.database import Notifications


async def test_whoever_waits_for_a_notification_can_be_cancelled_as_it_comes() -> None:
    notifications = Notifications()

    async def listen() -> None:
        while True:
            await notifications.wait(60)

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.01)
    notifications.heard.set()
    listening.cancel()
    done, _ = await asyncio.wait([listening], timeout=1)
    listening.cancel()
    assert done
