"""Reads the order for a change; what comes back makes it, then or whenever it is called."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from cliniko_emulator.changes.access import ACCESS
from cliniko_emulator.changes.kinds import KINDS, Change
from cliniko_emulator.changes.site import Site
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.filters import QueryError
from cliniko_emulator.resources import RESOURCES


def plan(wanted: Mapping[str, Any], cliniko: Cliniko) -> Callable[[], list[str]]:
    """`clinic` is one of its keys, the first clinic by default. Raises ValueError for what cannot be done.

    With `after_seconds` the change bears the time of the order and shows up so much later, as a late commit does.
    """
    given = dict(wanted)
    try:
        kind, after = given.pop("change", None), float(given.pop("after_seconds", 0))
        change = _change(kind, _clinic(given.pop("clinic", None), cliniko), given, cliniko)
    except (AttributeError, KeyError, TypeError, QueryError) as error:
        raise ValueError(f"this change cannot be planned: {error}") from error

    def make() -> list[str]:
        now = cliniko.now()
        if not after:
            return [str(one) for one in change(now)]
        asyncio.get_running_loop().call_later(after, change, now)
        return []

    return make


def _change(kind: object, clinic: Clinic, given: dict[str, Any], cliniko: Cliniko) -> Change:
    if kind in ACCESS:
        return ACCESS[str(kind)](cliniko, clinic, **given)
    if kind not in KINDS:
        raise ValueError(f"no such change; there are {', '.join([*KINDS, *ACCESS])}")
    name = given.pop("resource", "patients")
    resource = next((one for one in RESOURCES if one.name == name), None)
    if resource is None:
        raise ValueError(f"no such resource: {name}")
    return KINDS[str(kind)](Site(cliniko, clinic, resource), **given)


def _clinic(key: str | None, cliniko: Cliniko) -> Clinic:
    found = next((one for one in cliniko.clinics if key in {None, one.account.key}), None)
    if found is None:
        raise ValueError("no such clinic")
    return found
