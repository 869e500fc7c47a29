import asyncio
from collections.abc import Sequence

import pytest

from chassis.gathering import Gathering


class Work:
    """Doubles numbers, a group at a time, each time it is let."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.let = asyncio.Semaphore(0)

    async def __call__(self, numbers: Sequence[int]) -> Sequence[int]:
        self.groups.append(list(numbers))
        await self.let.acquire()
        if 13 in numbers:
            raise ValueError
        return [2 * number for number in numbers]


@pytest.fixture
def work() -> Work:
    return Work()


async def joined(gathering: Gathering[int, int], *numbers: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(gathering.join(number)) for number in numbers]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_the_first_goes_at_once_and_all_who_come_meanwhile_go_together(work: Work) -> None:
    tasks = await joined(Gathering(work), 1, 2, 3)
    assert work.groups == [[1]]
    work.let.release()
    work.let.release()
    assert await asyncio.gather(*tasks) == [2, 4, 6]
    assert work.groups == [[1], [2, 3]]


async def test_a_failure_is_that_of_all_in_the_group_and_of_nobody_after_them(work: Work) -> None:
    gathering = Gathering(work)
    tasks = await joined(gathering, 1, 2, 13)
    for _ in range(3):
        work.let.release()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [int, ValueError, ValueError]
    assert await gathering.join(4) == 8


async def test_who_is_interrupted_takes_nobody_along(work: Work) -> None:
    tasks = await joined(Gathering(work), 1, 2, 3, 4)
    work.let.release()
    await tasks[0]
    tasks[1].cancel()  # at work for 3 and 4 too
    tasks[2].cancel()  # waiting
    await asyncio.sleep(0)
    work.let.release()
    assert await tasks[3] == 8
    assert work.groups == [[1], [2, 3, 4], [4]]


async def test_in_a_steady_stream_groups_are_as_far_apart_as_they_shall_be(work: Work) -> None:
    gathering = Gathering(work, apart=0.2)
    for _ in range(2):
        work.let.release()
    assert await gathering.join(1) == 2
    later = [*await joined(gathering, 2), *await joined(gathering, 3)]
    assert work.groups == [[1]]
    assert await asyncio.gather(*later) == [4, 6]
    assert work.groups == [[1], [2, 3]]


async def test_a_group_that_is_large_enough_need_not_wait(work: Work) -> None:
    gathering = Gathering(work, apart=3600, enough=3)
    for _ in range(2):
        work.let.release()
    assert await gathering.join(1) == 2
    first = [*await joined(gathering, 2), *await joined(gathering, 3)]
    assert work.groups == [[1]]
    assert await asyncio.gather(*first, *await joined(gathering, 4)) == [4, 6, 8]
    assert work.groups == [[1], [2, 3, 4]]
