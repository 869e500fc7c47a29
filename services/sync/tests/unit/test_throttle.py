import asyncio
import time

import pytest

from sync.adapters.ledger import OwnLedger
from sync.adapters.throttle import Throttle
from sync.domain.allowance import Urgency

ACCOUNT = b"account"


async def test_the_limit_goes_at_once_and_then_one_waits() -> None:
    throttle = Throttle(OwnLedger(), ACCOUNT, limit=3)
    for _ in range(3):
        await asyncio.wait_for(throttle.turn(Urgency.ATTENDED), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(throttle.turn(Urgency.ATTENDED), 0.05)


async def test_a_person_passes_the_runs_that_wait() -> None:
    throttle = Throttle(OwnLedger(), ACCOUNT, limit=10)
    runs = [asyncio.create_task(throttle.turn(Urgency.SCHEDULED)) for _ in range(20)]
    await asyncio.wait_for(throttle.turn(Urgency.ATTENDED), 1)
    assert sum(run.done() for run in runs) == 8
    for run in runs:
        run.cancel()
    await asyncio.gather(*runs, return_exceptions=True)


async def test_the_more_urgent_go_first_when_there_is_room_again() -> None:
    clock = 0.0
    throttle = Throttle(OwnLedger(lambda: clock), ACCOUNT, limit=1)
    await throttle.turn(Urgency.ATTENDED)
    scheduled = asyncio.create_task(throttle.turn(Urgency.SCHEDULED))
    await asyncio.sleep(0.01)
    clock = 61.0
    await throttle.turn(Urgency.REQUESTED)  # its arrival has the ledger asked again
    assert not scheduled.done()
    scheduled.cancel()
    await asyncio.gather(scheduled, return_exceptions=True)


async def test_one_that_gives_up_leaves_its_place_to_the_next() -> None:
    clock = 0.0
    throttle = Throttle(OwnLedger(lambda: clock), ACCOUNT, limit=1)
    await throttle.turn(Urgency.ATTENDED)
    first, second = (asyncio.create_task(throttle.turn(Urgency.REQUESTED)) for _ in range(2))
    await asyncio.sleep(0.01)
    clock = 61.0
    first.cancel()
    await asyncio.wait_for(second, 1)


async def test_a_pause_holds_everybody_back() -> None:
    throttle, began = Throttle(OwnLedger(), ACCOUNT), time.monotonic()
    await throttle.pause(0.2)
    await asyncio.gather(*(throttle.turn(Urgency.ATTENDED) for _ in range(3)))
    assert time.monotonic() - began >= 0.2


async def test_a_ledger_that_cannot_be_reached_ends_the_waiting_and_not_the_throttle() -> None:
    class Failing(OwnLedger):
        broken = True

        async def take(self, account: bytes, waiting: object, limit: int) -> object:  # type: ignore[override] # passes on
            if self.broken:
                raise ConnectionError
            return await super().take(account, waiting, limit)  # type: ignore[arg-type] # the same

    ledger = Failing()
    throttle = Throttle(ledger, ACCOUNT)  # type: ignore[arg-type] # the same
    with pytest.raises(ConnectionError):
        await throttle.turn(Urgency.ATTENDED)
    ledger.broken = False
    await asyncio.wait_for(throttle.turn(Urgency.ATTENDED), 1)
