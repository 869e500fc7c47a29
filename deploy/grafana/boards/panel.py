"""What a dashboard is here, and the JSON that Grafana wants of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

DATASOURCE = {"type": "prometheus", "uid": "routiq"}
COLUMNS = 24
HEIGHTS = {"stat": 4, "timeseries": 8}

Json = dict[str, Any]


@dataclass(frozen=True)
class Query:
    """PromQL; the legend may name labels, `{{queue}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """Answers the question that is its title. Values from `alarming` on are red."""

    title: str
    about: str
    unit: str
    queries: Sequence[Query]
    kind: Literal["stat", "timeseries"] = "timeseries"
    width: int = 8
    alarming: float | None = None


@dataclass(frozen=True)
class Dashboard:
    """`name` is its file and its address."""

    name: str
    title: str
    panels: Sequence[Panel]


def rendered(dashboard: Dashboard) -> Json:
    """As Grafana's file provider reads it."""
    return {
        "uid": f"routiq-{dashboard.name}",
        "title": f"Routiq: {dashboard.title}",
        "tags": ["routiq"],
        "timezone": "utc",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["routiq"], "title": "Routiq", "asDropdown": False}],
        "panels": [
            _panel(number, panel, place)
            for number, (panel, place) in enumerate(zip(dashboard.panels, _places(dashboard.panels), strict=True), 1)
        ],
    }


def _places(panels: Sequence[Panel]) -> Iterator[Json]:
    """From left to right; what does not fit begins a row below the highest of the last."""
    x = y = row = 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, row = 0, y + row, 0
        height = HEIGHTS[panel.kind]
        yield {"x": x, "y": y, "w": panel.width, "h": height}
        x, row = x + panel.width, max(row, height)


def _panel(number: int, panel: Panel, place: Json) -> Json:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, **_colours(panel)}, "overrides": []},
        "targets": [
            {"refId": letter, "datasource": DATASOURCE, "expr": query.expr, "legendFormat": query.legend or "__auto"}
            for letter, query in zip("ABCDEF", panel.queries, strict=False)
        ],
    }


def _colours(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.alarming is None:
        return {"thresholds": {"mode": "absolute", "steps": steps}}
    shown = {"custom": {"thresholdsStyle": {"mode": "line"}}} if panel.kind == "timeseries" else {}
    return {"thresholds": {"mode": "absolute", "steps": [*steps, {"color": "red", "value": panel.alarming}]}, **shown}


def each(expr: str, *labels: str) -> tuple[Query, ...]:
    """One query whose lines are told apart by these labels."""
    return (Query(expr, " ".join(f"{{{{{label}}}}}" for label in labels)),)


def quantiles(histogram: str, selector: str = "", by: str = "") -> tuple[Query, ...]:
    """The median and the slowest of a histogram of seconds; of each value of the label `by`, the slowest 5 % only."""
    rate = f"rate({histogram}_bucket{selector}[$__rate_interval])"
    if by:
        return each(f"histogram_quantile(0.95, sum by (le, {by}) ({rate}))", by)
    parts = ((0.5, "half"), (0.95, "95 %"), (0.99, "99 %"))
    return tuple(Query(f"histogram_quantile({part}, sum by (le) ({rate}))", name) for part, name in parts)
