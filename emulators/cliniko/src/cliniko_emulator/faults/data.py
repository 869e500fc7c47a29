"""Effects on the data: changes made before a page is read, and reads that do not see them yet."""

import time
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from cliniko_emulator.answers import Answer
from cliniko_emulator.call import Call
from cliniko_emulator.changes.plan import plan
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.faults.fault import Effect, Proceed


def change(cliniko: Cliniko, *, changes: Sequence[Mapping[str, Any]]) -> Effect:
    """Changes the clinic, in order, before the request is answered."""
    planned = [plan(one, cliniko) for one in changes]

    async def effect(_call: Call, proceed: Proceed) -> Answer:
        for make in planned:
            make()
        return await proceed()

    return effect


def stale(_cliniko: Cliniko, *, seconds: float) -> Effect:
    """A cache in front: whoever asks the same again within that time gets the same again."""
    kept: dict[tuple[str, str, str], tuple[float, Answer]] = {}

    async def effect(call: Call, proceed: Proceed) -> Answer:
        question = (call.user_name, call.path, call.query)
        until, answer = kept.get(question, (0.0, None))
        if answer is None or time.monotonic() >= until:
            answer = await proceed()
            kept[question] = (time.monotonic() + seconds, answer)
        return deepcopy(answer)

    return effect
