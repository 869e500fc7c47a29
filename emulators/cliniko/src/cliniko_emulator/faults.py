"""What the emulator may be told to do to its clients: answer late, allow less, fail. New faults belong here."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from starlette.responses import PlainTextResponse, Response

from cliniko_emulator import answers
from cliniko_emulator.limits import WINDOW_SECONDS


@dataclass(slots=True)
class Failures:
    """The next `times` API requests are answered with `status`."""

    status: int
    times: int


class Faults:
    """The emulator's settings, changed while it runs."""

    def __init__(self, *, rate_limit: int, latency_ms: int) -> None:
        self.rate_limit = rate_limit
        self.latency_ms = latency_ms
        self.fail_next: Failures | None = None

    def shown(self) -> dict[str, object]:
        pending = None if self.fail_next is None else asdict(self.fail_next)
        return {"latency_ms": self.latency_ms, "rate_limit": self.rate_limit, "fail_next": pending}

    def change(self, wanted: Mapping[str, object]) -> None:
        """Raises ValueError, before anything changes, for an unknown setting or an impossible value."""
        if unknown := sorted(wanted.keys() - self.shown().keys()):
            raise ValueError(f"no such setting: {', '.join(unknown)}")
        rate_limit = _count(wanted.get("rate_limit", self.rate_limit), "rate_limit")
        latency_ms = _count(wanted.get("latency_ms", self.latency_ms), "latency_ms")
        fail_next = _failures(wanted["fail_next"]) if "fail_next" in wanted else self.fail_next
        self.rate_limit, self.latency_ms, self.fail_next = rate_limit, latency_ms, fail_next

    def failure(self) -> Response | None:
        """The failure due now, if one was ordered."""
        pending = self.fail_next
        if pending is None:
            return None
        pending.times -= 1
        if pending.times <= 0:
            self.fail_next = None
        return _answer(pending.status)


def _answer(status: int) -> Response:
    if status == 401:
        return answers.unauthorized()
    if status == 403:
        return PlainTextResponse("", 403)
    if status == 404:
        return answers.no_such_record()
    if status == 429:
        return answers.too_many_requests(int(time.time() + WINDOW_SECONDS))
    return answers.page(status, "Something went wrong.")


def _failures(wanted: object) -> Failures | None:
    if wanted is None:
        return None
    if not isinstance(wanted, Mapping) or not 400 <= _count(wanted.get("status"), "status") <= 599:
        raise ValueError("fail_next needs a status from 400 to 599")
    times = _count(wanted.get("times", 1), "times")
    return Failures(status=_count(wanted.get("status"), "status"), times=times) if times else None


def _count(wanted: object, name: str) -> int:
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise ValueError(f"{name} must be a whole number, zero or more")
    return wanted
