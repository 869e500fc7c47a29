"""What Cliniko does not document, or did differently at other times: each is a switch, changed while it runs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """`quiet_changes` names the changes that leave `updated_at` alone; `clock_skew_seconds` moves Cliniko's clock."""

    clock_skew_seconds: float = 0
    gzip: bool = False
    legacy_routes: bool = True
    per_page_over_100: Literal["clamp", "refuse"] = "clamp"
    quiet_changes: tuple[str, ...] = ()
    rate_window: Literal["fixed", "sliding"] = "fixed"
    require_accept: bool = False
    require_contact: bool = False
    sort_by_id: bool = True
    unauthorized_body: Literal["text", "json"] = "text"
    unsharded_host: Literal["redirect", "not_found"] = "redirect"

    def changed(self, wanted: Mapping[str, object]) -> "Switches":
        """Raises ValueError for an unknown switch or an impossible position."""
        if unknown := sorted(wanted.keys() - {field.name for field in fields(self)}):
            raise ValueError(f"no such switch: {', '.join(unknown)}")
        hints = get_type_hints(Switches)
        return replace(self, **{name: _position(name, hints[name], value) for name, value in wanted.items()})

    def shown(self) -> dict[str, object]:
        return asdict(self)


def _position(name: str, kind: Any, value: object) -> Any:
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if kind == tuple[str, ...] and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if value in get_args(kind) and isinstance(value, str):
        return value
    raise ValueError(f"{name} cannot stand at that")
