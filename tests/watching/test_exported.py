"""What dashboards and rules name is what a running system says of itself."""

import re
from collections import defaultdict
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import HARBOUR, RIDGE, System
from tests.watching.dashboards import FILES, labels_of, metrics_of, queries
from tests.watching.prometheus import DEPLOYED, PORTS, until, watching

from contracts.routes import ROUTES

Series = dict[str, list[dict[str, str]]]

RULES = (DEPLOYED / "prometheus" / "rules.yml").read_text()
TARGET_LABELS = {"job", "instance"}
QUEUES = {route.queue(consumer) for route in ROUTES for consumer in route.consumers}
VALUES = {
    "queue": r"(retry\.\d+s|" + "|".join(map(re.escape, QUEUES)) + ")",
    "route": r"unmatched|/[a-z0-9{}_/.*-]*",
    "method": r"[A-Z]{3,7}|other",
    "status": r"[1-5]\d\d|[a-z]+",
    "le": r"\+Inf|[0-9.e+-]+",
    "quantile": r"0\.\d+",
    "kind": r"[a-z]+\.[a-z_.]+",
    "generation": r"[0-2]",
}
WORD = r"[a-z]+([_-][a-z]+)*"
FOREIGN = ("python_info",)
RUNS_NOW = "routiq_sync_runs"
"""By mode and state: what there is of them comes and goes with the runs, whosever they are."""


@pytest.fixture(scope="module")
def system_in_use(system: System) -> System:
    """Something of everything has happened."""
    system.until_completed(HARBOUR, system.start_sync(HARBOUR))
    for path in (f"patients/{HARBOUR}/patients", f"dashboard/{HARBOUR}", f"sync/history/{HARBOUR}"):
        system.get(f"/api/v1/{path}", HARBOUR)
    return system


def scraped(system: System) -> Series:
    """The labels of every series of all parts, by name."""
    found: Series = defaultdict(list)
    for port in PORTS.values():
        text = httpx.get(f"http://127.0.0.1:{system.environment[port]}/metrics").raise_for_status().text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name].append(sample.labels)
    return found


def test_everything_that_dashboards_and_rules_name_is_exported(system_in_use: System) -> None:
    expressions = [RULES, *(expr for file in FILES for _, expr in queries(file))]
    named = set().union(*map(metrics_of, expressions)) - {"up"}
    selected = {one for one in set().union(*map(labels_of, expressions)) if one[1] not in TARGET_LABELS}
    assert len(named) > 40
    until(lambda: named <= set(scraped(system_in_use)), 30)
    series = scraped(system_in_use)
    assert {one for one in selected if not all(one[1] in labels for labels in series[one[0]])} == set()


def test_every_panel_shows_something(promtool: str, system_in_use: System, home: Path) -> None:
    asked = [(file.stem, title, expr) for file in FILES for title, expr in queries(file)]
    with watching(system_in_use, home) as prometheus:
        until(lambda: len(prometheus.query("up offset 10s")) == len(PORTS), 30)  # a rate needs more than one look
        assert [panel for panel in asked if not prometheus.query(panel[2])] == []


def test_values_of_labels_come_from_short_lists_and_name_nobody(system_in_use: System) -> None:
    for name, series in scraped(system_in_use).items():
        for labels in series if name not in FOREIGN else []:
            for label, value in labels.items():
                assert not value.startswith("org_"), (name, label, value)
                assert re.fullmatch(VALUES.get(label, WORD), value), (name, label, value)


def test_more_clinics_and_odd_requests_make_no_more_series(system_in_use: System) -> None:
    _one_more_clinic(system_in_use)
    before = _count(scraped(system_in_use))
    for _ in range(2):
        _one_more_clinic(system_in_use)
    after = _count(scraped(system_in_use))
    grown = {name: count for name, count in after.items() if count > before[name]}
    assert {name: count for name, count in grown.items() if name != RUNS_NOW} == {}


def _one_more_clinic(system: System) -> None:
    organization = f"org_{uuid4().hex[:12]}"
    system.connect(organization, "MS0-demo-ridge-uk1")
    system.until_completed(organization, system.start_sync(organization))
    for _ in range(2):
        _odd_requests(system, f"org_{uuid4().hex[:12]}")


def _odd_requests(system: System, organization: str) -> None:
    for path in (f"/api/v1/patients/{organization}/{uuid4()}", f"/{uuid4()}", f"/api/v1/sync/progress/{uuid4()}"):
        system.call("GET", path, RIDGE)


def _count(series: Series) -> defaultdict[str, int]:
    """A histogram counts once, not once a bucket."""
    return defaultdict(int, {name: len(sets) for name, sets in series.items() if not name.endswith("_bucket")})
