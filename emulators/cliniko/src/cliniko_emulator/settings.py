"""How fast and how often the emulator answers, and an order to fail: changed while it runs."""

from collections.abc import Mapping

from cliniko_emulator.faults.fault import Fault
from cliniko_emulator.faults.faults import Faults

_NAMES = {"rate_limit", "latency_ms", "fail_next"}


class Settings:
    def __init__(self, faults: Faults, *, rate_limit: int, latency_ms: int) -> None:
        self.rate_limit = rate_limit
        self.latency_ms = latency_ms
        self._faults = faults
        self._failing: Fault | None = None

    def shown(self) -> dict[str, object]:
        failing = self._failing
        pending = failing is not None and not failing.spent and failing in self._faults
        fail_next = {"status": failing.order["status"], "times": failing.left} if failing and pending else None
        return {"latency_ms": self.latency_ms, "rate_limit": self.rate_limit, "fail_next": fail_next}

    def change(self, wanted: Mapping[str, object]) -> None:
        """Raises ValueError, before anything changes, for an unknown setting or an impossible value."""
        if unknown := sorted(wanted.keys() - _NAMES):
            raise ValueError(f"no such setting: {', '.join(unknown)}")
        rate_limit = _count(wanted.get("rate_limit", self.rate_limit), "rate_limit")
        latency_ms = _count(wanted.get("latency_ms", self.latency_ms), "latency_ms")
        if "fail_next" in wanted:
            self._fail(_failures(wanted["fail_next"]))
        self.rate_limit, self.latency_ms = rate_limit, latency_ms

    def _fail(self, order: Mapping[str, int] | None) -> None:
        """The next `times` requests are answered with `status`; a shorthand for the fault of that name."""
        if self._failing is not None:
            self._faults.clear(self._failing.id)
        self._failing = self._faults.order({"effect": "status", **order}) if order else None


def _failures(wanted: object) -> Mapping[str, int] | None:
    if wanted is None:
        return None
    if not isinstance(wanted, Mapping) or not 400 <= _count(wanted.get("status"), "status") <= 599:
        raise ValueError("fail_next needs a status from 400 to 599")
    times = _count(wanted.get("times", 1), "times")
    return {"status": wanted["status"], "times": times} if times else None


def _count(wanted: object, name: str) -> int:
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise ValueError(f"{name} must be a whole number, zero or more")
    return wanted
