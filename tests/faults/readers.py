"""Clients that read a clinic again and again, and remember what they were answered."""

import csv
import io
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread
from typing import Any

import httpx
from tests.faults.practice import Practice

Json = dict[str, Any]
PAUSE_SECONDS = 0.15
RESERVE = 200
"""Of the thousand requests a person has in a quarter of an hour: on a slow machine readers stop before that."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Answer:
    """What was told of a clinic at one moment, asked for at `asked_at` on this machine's clock."""

    asked_at: float
    path: str
    content: Any
    etag: str

    @property
    def now(self) -> datetime:
        """The moment at which it is true."""
        return datetime.fromisoformat(self.content["timestamp"])


@dataclass
class Readers:
    """Each reads in a thread of its own until all are stopped; what goes wrong in one is told by `stopped`."""

    practice: Practice
    lists: list[Answer] = field(default_factory=list)
    """Lists that are told whole in one answer."""
    files: list[Answer] = field(default_factory=list)
    walks: list[list[Answer]] = field(default_factory=list)
    figures: list[Answer] = field(default_factory=list)
    confirmed: int = 0
    """How often it was said that nothing has changed."""
    failures: list[BaseException] = field(default_factory=list)
    _left: int = 1000
    _stop: Event = field(default_factory=Event)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While this is open all of them read."""
        looks = (self._list, self._walk, self._file, self._patients_figures, self._dashboard, self._known)
        threads = [Thread(target=self._again_and_again, args=[look]) for look in looks]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join()
        assert not self.failures, self.failures

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Any answer to an address of the clinic's, `{}` standing for the organization."""
        url = f"/api/v1/{path.format(self.practice.organization)}"
        answer = self.practice.system.call("GET", url, self.practice.organization, headers=headers)
        self._left = int(answer.headers["x-ratelimit-remaining"])
        return answer

    def ask(self, path: str) -> Answer:
        """A good answer."""
        asked_at = time.monotonic()
        answer = self.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return Answer(asked_at, path, answer.json(), answer.headers["etag"])

    def _again_and_again(self, look: Callable[[], None]) -> None:
        try:
            while not self._stop.is_set() and self._left > RESERVE:
                look()
                time.sleep(PAUSE_SECONDS)
        except BaseException as failure:
            self.failures.append(failure)

    def _list(self) -> None:
        self.lists.append(self.ask("patients/{}/patients?limit=1000"))
        self.lists.append(self.ask("patients/{}/patients/with-appointments?limit=1000"))

    def _walk(self) -> None:
        path = "patients/{}/patients?active=all&limit=400"
        pages = [self.ask(path)]
        while cursor := pages[-1].content["next_cursor"]:
            pages.append(self.ask(f"{path}&cursor={cursor}"))
        self.walks.append(pages)

    def _file(self) -> None:
        asked_at = time.monotonic()
        answer = self.get("patients/{}/patients?active=all", accept="text/csv")
        assert answer.status_code == 200, answer.text
        made_at = answer.headers["content-disposition"].rpartition("-")[2].partition(".")[0]
        rows = [typed(row) for row in csv.DictReader(io.StringIO(answer.content.decode(), newline=""))]
        told = {"patients": rows, "total_count": len(rows), "timestamp": made_at}
        self.files.append(Answer(asked_at, "file", told, answer.headers["etag"]))

    def _patients_figures(self) -> None:
        self.figures.append(self.ask("patients/{}/active/summary"))
        self.figures.append(self.ask("patients/{}/patients/appointment-types/summary"))

    def _dashboard(self) -> None:
        for path in ("", "/analytics?timeframe=90d", "/charts?timeframe=90d", "/retention?limit=1000"):
            self.figures.append(self.ask(f"dashboard/{{}}{path}"))

    def _known(self) -> None:
        """Whoever is told that nothing has changed must find it so; what has changed is never confirmed."""
        path = "patients/{}/patients?limit=1000"
        first = self.ask(path)
        time.sleep(PAUSE_SECONDS)
        told = self.get(path, **{"if-none-match": first.etag}).status_code
        second = self.ask(path)
        self.confirmed += told == 304
        assert told in (200, 304)
        if second.etag == first.etag:
            assert told == 304
            same = second.content["patients"] == first.content["patients"]
            assert same or self.ask(path).etag != first.etag, "changed, and still confirmed"
        else:
            assert self.get(path, **{"if-none-match": first.etag}).status_code == 200
        self.lists.append(second)


def typed(row: dict[str, str]) -> Json:
    """The values that the cells of a file stand for."""
    return {key: _value(key, cell) for key, cell in row.items()}


def _value(key: str, cell: str) -> Any:
    if key.endswith("_count"):
        return int(cell)
    if key == "is_active":
        return cell == "true"
    return (cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell) or None
