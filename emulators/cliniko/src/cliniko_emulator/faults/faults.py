"""The faults that are switched on."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import fields
from functools import partial
from typing import Any

from cliniko_emulator.answers import Answer
from cliniko_emulator.call import Call
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.faults.catalogue import effect
from cliniko_emulator.faults.fault import Fault, Proceed, Where

_WHERE = {field.name for field in fields(Where)}
_WHOLE_NUMBERS = {"page", "skip", "times", "delay_ms"}
_TEXTS = {"path", "method", "shard", "key"}
_HOW_OFTEN = {"skip", "times", "after_seconds", "delay_ms"}


class Faults:
    def __init__(self, cliniko: Cliniko) -> None:
        self._cliniko = cliniko
        self._faults: list[Fault] = []
        self._ids = itertools.count(1)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def order(self, wanted: Mapping[str, Any]) -> Fault:
        """Switches one on; raises ValueError when it is not understood."""
        for name, value in wanted.items():
            _check(name, value)
        where = {name: value for name, value in wanted.items() if name in _WHERE}
        often = {name: value for name, value in wanted.items() if name in _HOW_OFTEN}
        rest = {name: value for name, value in wanted.items() if name not in _WHERE | _HOW_OFTEN}
        made = effect(rest, self._cliniko)
        fault = Fault(id=next(self._ids), order=dict(wanted), where=Where(**where), effect=made, **often)
        self._faults.append(fault)
        return fault

    def clear(self, fault_id: int | None = None) -> bool:
        """All of them, or one; False when there is none such."""
        kept = [fault for fault in self._faults if fault_id not in {None, fault.id}]
        found = len(kept) < len(self._faults) or fault_id is None
        self._faults = kept
        return found

    async def around(self, call: Call, proceed: Proceed) -> Answer:
        """The answer after every fault that strikes, in their order; one that answers itself keeps the rest away."""
        return await _strike(iter([*self._faults]), call, proceed)


async def _strike(faults: Iterator[Fault], call: Call, proceed: Proceed) -> Answer:
    for fault in faults:
        if fault.strikes(call):
            return await fault.work(call, partial(_strike, faults, call, proceed))
    return await proceed()


def _check(name: str, value: object) -> None:
    if name in _WHOLE_NUMBERS and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise ValueError(f"{name} must be a whole number, zero or more")
    if name in _TEXTS and not isinstance(value, str):
        raise ValueError(f"{name} must be text")
    if name == "after_seconds" and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise ValueError("after_seconds must be a number")
