"""Where requests to one account wait for their turn."""

import asyncio
import heapq
from itertools import count

from chassis.tasks import set_within
from sync.adapters.ledger import Ledger
from sync.adapters.traffic import BUDGET
from sync.domain.allowance import LIMIT, Urgency


class Throttle:
    """One account's requests of this process go in order of urgency, as soon as the ledger has room for them."""

    def __init__(self, ledger: Ledger, account: bytes, limit: int = LIMIT) -> None:
        self._ledger = ledger
        self._account = account
        self._limit = limit
        self._arrivals = count()
        self._waiting: list[tuple[float, int, Urgency, asyncio.Future[None]]] = []
        self._changed = asyncio.Event()
        self._dispatching: asyncio.Task[None] | None = None

    async def turn(self, urgency: Urgency) -> None:
        """Return when one request may leave."""
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (-urgency.value, next(self._arrivals), urgency, turn))
        self._changed.set()
        if self._dispatching is None or self._dispatching.done():
            self._dispatching = asyncio.create_task(self._dispatch())
        try:
            await turn
        except asyncio.CancelledError:
            self._changed.set()  # the dispatcher need not wait for room for one who has gone
            raise

    async def pause(self, seconds: float) -> None:
        """Cliniko said to wait: nobody leaves before that, in whichever process."""
        await self._ledger.pause(self._account, seconds)

    async def _dispatch(self) -> None:
        """Ask once for all who wait, as often as needed; ends when nobody waits."""
        try:
            while waiting := self._still_waiting():
                self._changed.clear()
                grant = await self._ledger.take(self._account, waiting, self._limit)
                BUDGET.observe(grant.used / self._limit)
                for _ in range(grant.granted):
                    self._let_one_go()
                if self._still_waiting():
                    await set_within(self._changed, grant.wait_seconds)
        except Exception as error:  # the ledger cannot be reached: that ends the work of all who wait for it
            for *_, turn in self._waiting:
                if not turn.done():
                    turn.set_exception(error)
            self._waiting.clear()

    def _still_waiting(self) -> list[Urgency]:
        """The most urgent first."""
        self._waiting = sorted(one for one in self._waiting if not one[-1].done())
        return [urgency for _, _, urgency, _ in self._waiting]

    def _let_one_go(self) -> None:
        while self._waiting:
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
