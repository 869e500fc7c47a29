"""Clients that read and sync while something is deployed, and what became of their requests."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
from tests.faults.practice import Practice

LIST = "patients/{}/patients"
HISTORY = "sync/history/{}"
READS = (LIST, "dashboard/{}/summary", "patients/{}/active/summary")
READINGS = (*READS * 20, HISTORY)
PAUSE_SECONDS = 0.1
"""Between two requests of one reader."""
LOOK_SECONDS = 3.0
"""A clinic may make a thousand requests in a quarter of an hour, but a hundred on syncs."""


@dataclass
class Seen:
    """What clients were told. Anything but an answer that says what was asked for is a failure."""

    reads: int = 0
    lists: Counter[str] = field(default_factory=Counter)
    """How often each organization was shown a list of its patients."""
    runs: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Load:
    """One client that reads and one that syncs for each practice."""

    def __init__(self, practices: Sequence[Practice]) -> None:
        self._practices = practices
        self._over = threading.Event()
        self.seen = Seen()

    @contextmanager
    def applied(self) -> Iterator[Seen]:
        """While this lasts; at the end every run has ended."""
        for practice in self._practices:
            practice.system.token(practice.organization)
        works = [
            threading.Thread(target=self._noting, args=(work, one))
            for one in self._practices
            for work in (self._read, self._sync)
        ]
        for work in works:
            work.start()
        try:
            yield self.seen
        finally:
            self._over.set()
            for work in works:
                work.join()

    def _noting(self, work: Callable[[Practice], None], practice: Practice) -> None:
        try:
            work(practice)
        except (AssertionError, httpx.HTTPError) as failure:
            self.seen.failures.append(f"{practice.name}: {type(failure).__name__} {failure}")

    def _read(self, practice: Practice) -> None:
        headers = {"authorization": f"Bearer {practice.system.token(practice.organization)}"}
        with httpx.Client(base_url=practice.system.url("/api/v1/"), headers=headers, timeout=30) as client:
            while not self._over.is_set():
                for path in READINGS:
                    if self._answered(client, path.format(practice.organization)) and path == LIST:
                        self.seen.lists[practice.organization] += 1
                    time.sleep(PAUSE_SECONDS)

    def _answered(self, client: httpx.Client, path: str) -> bool:
        try:
            answer = client.get(path)
        except httpx.HTTPError as failure:
            self.seen.failures.append(f"{path}: {type(failure).__name__}")
            return False
        if answer.status_code != 200:
            self.seen.failures.append(f"{path}: {answer.status_code} {answer.text}")
            return False
        self.seen.reads += 1
        return True

    def _sync(self, practice: Practice) -> None:
        while not self._over.is_set():
            practice.change("insert", count=3, values={"first_name": "New", "last_name": "Here"})
            sync_id = practice.start("comprehensive")
            while (seen := practice.progress(sync_id))["status"] in ("queued", "running"):
                time.sleep(LOOK_SECONDS)
            assert seen["status"] == "completed", seen
            self.seen.runs.append(sync_id)
