"""Every effect by its name in a control request; its keyword arguments are the request's other members."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.faults import connection, content, data, refusals
from cliniko_emulator.faults.fault import Effect

EFFECTS: dict[str, Callable[..., Effect]] = {
    make.__name__: make
    for make in (
        refusals.status,
        refusals.limit,
        connection.delay,
        connection.hang,
        connection.reset,
        connection.truncate,
        content.garble,
        content.content_type,
        content.gzip,
        content.total_entries,
        content.next_link,
        content.records,
        content.datetimes,
        data.change,
        data.stale,
    )
}


def effect(wanted: Mapping[str, Any], cliniko: Cliniko) -> Effect:
    """Raises ValueError for an unknown effect, or members it does not take."""
    given = dict(wanted)
    name = given.pop("effect", None)
    make = EFFECTS.get(name) if isinstance(name, str) else None
    if make is None:
        raise ValueError(f"no such effect; there are {', '.join(EFFECTS)}")
    try:
        inspect.signature(make).bind(cliniko, **given)
        return make(cliniko, **given)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{name}: {error}") from error
