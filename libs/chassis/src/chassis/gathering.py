"""Work that costs little more for many than for one: who comes while a group is at work is in the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from chassis.tasks import set_within

T = TypeVar("T")
R = TypeVar("R")


class Gathering(Generic[T, R]):
    """The first goes at once and alone, and all who come meanwhile go together after it."""

    def __init__(
        self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]], *, apart: float = 0.0, enough: int = 10
    ) -> None:
        """`work` returns a result for each item, in order, or fails for all of them.

        Groups begin at least so many seconds `apart`, for in a steady stream they are worth more when they are larger;
        with `enough` items one need not wait.
        """
        self._work = work
        self._apart = apart
        self._enough = enough
        self._large = asyncio.Event()
        self._not_before = 0.0
        self._turn = asyncio.Lock()
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []

    async def join(self, item: T) -> R:
        """The result for this item. Raises what its group failed with."""
        place: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, place))
        if len(self._waiting) >= self._enough:
            self._large.set()
        try:
            async with self._turn:
                if not place.done():
                    await self._go()
            return await place
        finally:
            place.cancel()  # who is interrupted goes with no group any more

    async def _go(self) -> None:
        """The one whose turn it is goes for all."""
        await self._rest()
        group = [(item, place) for item, place in self._waiting if not place.done()]
        self._waiting.clear()
        try:
            results = await self._work([item for item, _ in group])
        except asyncio.CancelledError:
            self._waiting[:0] = group  # the others go with the next
            raise
        except Exception as error:
            for place in _left(group):
                place.set_exception(error)
        else:
            outcomes = {place: result for (_, place), result in zip(group, results, strict=True)}
            for place in _left(group):
                place.set_result(outcomes[place])

    async def _rest(self) -> None:
        clock = asyncio.get_running_loop().time
        left = self._not_before - clock()
        if left > 0 and len(self._waiting) < self._enough:
            self._large.clear()
            await set_within(self._large, left)
        self._not_before = clock() + self._apart


def _left(group: Sequence[tuple[T, asyncio.Future[R]]]) -> list[asyncio.Future[R]]:
    """Those whose owners still wait."""
    return [place for _, place in group if not place.done()]
