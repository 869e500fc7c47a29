"""A small Cliniko whose records a test changes at will, also between two pages, with a clock of its own.

It shares no code with the emulator: what the two agree on is what the documentation says.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Row = dict[str, Any]
HIDING = {
    "patients": ("archived_at",),
    "individual_appointments": ("archived_at", "cancelled_at", "deleted_at"),
    "group_appointments": ("archived_at", "deleted_at"),
    "attendees": ("archived_at", "cancelled_at", "deleted_at"),
    "appointment_types": ("archived_at",),
    "practitioners": (),
}


async def nothing_happens(_answers: int) -> None:
    """Between two answers."""


@dataclass
class ChangingCliniko:
    """Rows by list and id. `between` is called before each answer with the number of answers so far."""

    now: datetime = datetime(2026, 3, 1, 9, tzinfo=UTC)
    lists: dict[str, dict[int, Row]] = field(default_factory=lambda: {name: {} for name in HIDING})
    between: Callable[[int], Awaitable[None]] = field(default_factory=lambda: nothing_happens)
    lie: Callable[[str, int], int] = lambda _path, total: total
    sorts_by_id: bool = True
    bumps: bool = True
    """Whether archiving and cancelling move `updated_at`."""
    forbidden: set[str] = field(default_factory=set)
    """Lists that the key's user may not see."""
    asked: list[str] = field(default_factory=list)
    _ids: "count[int]" = field(default_factory=lambda: count(1_000_000_000_000_000_001))

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def add(self, path: str, **columns: Any) -> int:
        """A new row; returns its id."""
        row_id, now = next(self._ids), stamp(self.now)
        self.lists[path][row_id] = {"id": str(row_id), "created_at": now, "updated_at": now, **columns}
        return row_id

    def add_patient(self, **columns: Any) -> int:
        return self.add("patients", **{"first_name": "Ada", "last_name": "Example", **columns})

    def add_appointment(self, patient: int, **columns: Any) -> int:
        link = _link_to(patient)
        return self.add("individual_appointments", patient=link, starts_at="2026-04-01T10:00:00Z", **columns)

    def move_appointment(self, appointment: int, patient: int) -> None:
        """To another patient."""
        self.change("individual_appointments", appointment, patient=_link_to(patient))

    def add_group(self, **columns: Any) -> int:
        return self.add("group_appointments", **{"starts_at": "2026-04-02T10:00:00Z", **columns})

    def add_attendee(self, group: int, patient: int, **columns: Any) -> int:
        booking = {"links": {"self": f"https://cliniko.example/v1/bookings/{group}"}}
        return self.add("attendees", booking=booking, booking_id=str(group), patient=_link_to(patient), **columns)

    def change(self, path: str, row_id: int, *, bump: bool = True, **columns: Any) -> None:
        moved = {"updated_at": stamp(self.now)} if bump else {}
        self.lists[path][row_id] |= {**moved, **columns}

    def mark(self, path: str, row_id: int, column: str) -> None:
        """Archive, cancel or delete as Cliniko does: the row stays."""
        self.change(path, row_id, bump=self.bumps, **{column: stamp(self.now)})

    def erase(self, path: str, row_id: int) -> None:
        """Without a trace."""
        del self.lists[path][row_id]

    async def answer(self, request: Request) -> Response:
        await self.between(len(self.asked))
        path = request.path_params["path"]
        self.asked.append(path)
        headers = {"date": format_datetime(self.now, usegmt=True)}
        name, _, rest = path.partition("/")
        if name in self.forbidden:
            return Response(status_code=403, headers=headers)
        if name == "user":
            return JSONResponse({"id": "1"}, headers=headers)
        if rest and rest != "inactive":
            row = self.lists[name].get(int(rest))
            return JSONResponse(row or {"status": "404", "error": "Not Found"}, 200 if row else 404, headers=headers)
        return self._list(name, rest, request, headers)

    def _list(self, name: str, rest: str, request: Request, headers: dict[str, str]) -> Response:
        sort = request.query_params.get("sort", "created_at:asc")
        if sort.startswith("id") and not self.sorts_by_id:
            return JSONResponse({"message": "Sort parameter must be a valid column name"}, 400, headers=headers)
        rows = self._select(name, request.query_params.getlist("q[]"))
        if name == "practitioners":
            rows = [row for row in rows if row["active"] is (rest != "inactive")]
        for key in reversed(sort.split(",")):
            column = key.partition(":")[0]
            rows.sort(key=lambda row: int(row["id"]) if column == "id" else str(row[column]))
        number, size = (int(request.query_params[key]) for key in ("page", "per_page"))
        page = rows[(number - 1) * size : number * size]
        return JSONResponse({name: page, "total_entries": self.lie(name, len(rows)), "links": {}}, headers=headers)

    def _select(self, name: str, conditions: list[str]) -> list[Row]:
        named = {condition.partition(":")[0] for condition in conditions}
        rows = list(self.lists[name].values())
        for column in HIDING[name]:
            if column not in named:
                rows = [row for row in rows if not row.get(column)]
        for condition in conditions:
            column, _, test = condition.partition(":")
            rows = [row for row in rows if meets(column, row.get(column), test)]
        return rows


def meets(column: str, held: Any, test: str) -> bool:
    if test == "*":
        return True
    if held is None:
        return False
    sign, wanted = (test[:2], test[2:]) if test[:2] in (">=", "<=") else (test[0], test[1:])
    if sign == "=":
        return held in wanted.split(",")
    width = 20 if column == "id" else 0
    left, right = str(held).zfill(width), wanted.zfill(width)
    return {">=": left >= right, ">": left > right, "<": left < right, "<=": left <= right}[sign]


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@asynccontextmanager
async def served(cliniko: ChangingCliniko) -> AsyncIterator[str]:
    """Over real HTTP. Yields what CLINIKO_API_URL would be."""
    app = Starlette(routes=[Route("/v1/{path:path}", cliniko.answer)])
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", date_header=False))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    server.should_exit = True
    await serving


def _link_to(patient: int) -> dict[str, Any]:
    return {"links": {"self": f"https://cliniko.example/v1/patients/{patient}"}}
