"""Runs come in through the table: a worker claims what is queued, and what another worker left behind.

A run that has been at work for a while steps back when others wait for a hand, and goes on from its checkpoint when its
turn comes; one hand takes up newcomers only. So a clinic of a hundred thousand records keeps no small one waiting.
"""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

import structlog

from chassis.database import Database, Notifications
from chassis.metrics import turned
from sync.adapters.accounts import Accounts
from sync.adapters.runs import Claimed, any_waits, claim, lock_of, release, release_orphans
from sync.adapters.store import Transactions
from sync.adapters.vault import Vault
from sync.entrypoints.pulling import Pulling
from sync.entrypoints.transactions import transactions_of

log = structlog.get_logger()

RUNS_AT_ONCE = 4
POLL_SECONDS = 5.0
"""Also the time between two beats of a run; it is taken over after `runs.LEASE` without one."""
TURN_SECONDS, LONGEST_TURN = 30.0, 16
"""After a turn a run that others wait for steps back; its next turn is twice as long, up to so many times the first:
going on costs some requests, and a turn that is over before a page has landed would lead nowhere."""


@dataclass(frozen=True)
class Turn:
    """A run in a worker's hand; `began` on the monotonic clock."""

    run: Claimed
    began: float


class Worker:
    """Works on several runs at once; any number of workers may share the table."""

    def __init__(
        self,
        worker_id: UUID,
        database: Database,
        accounts: Accounts,
        vault: Vault,
        *,
        hands: int = RUNS_AT_ONCE,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        """One id for the life of the process: what it lost hold of, say with the database, it may free again."""
        self._id = worker_id
        self._database = database
        self._transactions: Transactions = transactions_of(database)
        self._pulling = Pulling(worker_id, self._transactions, accounts, vault)
        self._hands = hands
        self._turn_seconds = turn_seconds
        self._turns: dict[asyncio.Task[None], Turn] = {}

    async def work(self) -> None:
        """Claim and work, for ever; runs that an interruption took out of hand are free for anybody at once."""
        await self._release()
        try:
            alive = self._database.listening("sync_runs", holding=lock_of(self._id))
            async with alive as notifications, asyncio.TaskGroup() as runs:
                while not notifications.lost:
                    turned("worker", POLL_SECONDS)
                    await self._let_go()
                    await self._take_up(runs, notifications)
                    await self._give_way()
                    await notifications.wait(min(POLL_SECONDS, self._turn_seconds))
                for task in self._turns:
                    task.cancel()
        finally:
            self._turns.clear()
            await self._release()

    async def _let_go(self) -> None:
        """Beat for every run in hand, and stop working on one that was cancelled or taken over."""
        for task, turn in list(self._turns.items()):
            async with self._transactions(turn.run.organization_id) as store:
                held = await store.runs.held(turn.run.sync_id, self._id)
                run = None if held else await store.runs.get(turn.run.sync_id)
            if not held and (run is None or run.landed_at is None):  # one that has landed is about to end by itself
                task.cancel()

    async def _take_up(self, runs: asyncio.TaskGroup, notifications: Notifications) -> None:
        def freed(task: asyncio.Task[None]) -> None:
            self._turns.pop(task, None)
            notifications.heard.set()

        while len(self._turns) < self._hands and (claimed := await self._claim()):
            task = runs.create_task(self._pulling.one(claimed.organization_id, claimed.sync_id))
            self._turns[task] = Turn(claimed, time.monotonic())
            task.add_done_callback(freed)

    async def _claim(self) -> Claimed | None:
        """Once all hands but one hold long runs, only a run that never stepped back."""
        long = sum(turn.run.turns > 0 or self._is_over(turn) for turn in self._turns.values())
        async with self._database.transaction() as connection:
            await release_orphans(connection)
            return await claim(connection, self._id, newcomers_only=0 < self._hands - 1 <= long)

    async def _give_way(self) -> None:
        """If a run waits all the same, let the one that has been at work the longest step back, if its turn is over."""
        over = [(turn.began, task) for task, turn in self._turns.items() if self._is_over(turn)]
        if not over or not await self._any_waits():
            return
        _, task = min(over, key=lambda one: one[0])
        run = self._turns[task].run
        task.cancel()
        await asyncio.wait([task])
        async with self._transactions(run.organization_id) as store:
            await store.runs.step_back(run.sync_id, self._id)
        log.info("run stepped back", organization_id=run.organization_id, sync_id=run.sync_id)

    def _is_over(self, turn: Turn) -> bool:
        return time.monotonic() - turn.began >= self._turn_seconds * min(1 << turn.run.turns, LONGEST_TURN)

    async def _any_waits(self) -> bool:
        async with self._database.transaction() as connection:
            return await any_waits(connection)

    async def _release(self) -> None:
        async with self._database.transaction() as connection:
            await release(connection, self._id)
