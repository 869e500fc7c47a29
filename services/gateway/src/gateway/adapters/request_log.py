"""The line each request leaves in the log, in the form of all other lines but at a tenth of their price."""

import asyncio
import sys
import time
from datetime import UTC, datetime
from json.encoder import encode_basestring_ascii as quoted

WRITE_SECONDS = 0.02
"""How long a line may wait for others to be written with it."""


class RequestLog:
    """Lines of fields that hold no patient data by construction: ids, route templates, methods, figures."""

    def __init__(self, service: str) -> None:
        self._service = quoted(service)
        self._lines: list[str] = []
        self._second, self._second_as_text = 0, ""

    def note(
        self,
        request_id: str,
        organization_id: str | None,
        route: str,
        method: str,
        status: int,
        outcome: str,
        milliseconds: float,
        trace_id: str = "",
    ) -> None:
        """A request is over."""
        if not self._lines:
            asyncio.get_running_loop().call_later(WRITE_SECONDS, self.write)
        organization = quoted(organization_id) if organization_id else "null"
        trace = f',"trace_id":"{trace_id}"' if trace_id else ""
        self._lines.append(
            f'{{"service":{self._service},"event":"request","level":"info","timestamp":"{self._now()}",'
            f'"request_id":"{request_id}","organization_id":{organization},"route":"{route}","method":"{method}",'
            f'"status":{status},"outcome":"{outcome}","duration_ms":{milliseconds:.1f}{trace}}}\n'
        )

    def write(self) -> None:
        """Write what waits."""
        if self._lines:
            lines, self._lines = self._lines, []  # gone even if they cannot be written
            sys.stdout.write("".join(lines))
            sys.stdout.flush()

    def _now(self) -> str:
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second, self._second_as_text = second, datetime.fromtimestamp(second, UTC).isoformat()[:19]
        return f"{self._second_as_text}.{int((now - second) * 1_000_000):06d}Z"
