"""The dashboards' JSON, without Grafana."""

import re
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.watching.dashboards import FILES, dashboard
from tests.watching.prometheus import DEPLOYED

GRAFANA = DEPLOYED / "grafana"
DATASOURCE = {"type": "prometheus", "uid": "routiq"}
UNITS = {"s", "short", "percentunit", "reqps", "ops", "bytes"}

each_dashboard = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def test_there_is_one_for_each_side_of_the_system_and_all_are_as_the_generator_makes_them(tmp_path: Path) -> None:
    subprocess.run([sys.executable, GRAFANA / "generate.py", tmp_path], check=True)
    made = {file.name: file.read_text() for file in tmp_path.glob("*.json")}
    assert {file.name: file.read_text() for file in FILES} == made
    assert [file.stem for file in FILES] == ["database", "gateway", "messaging", "overview", "sync"]


def test_each_has_an_address_and_a_title_of_its_own() -> None:
    read = [dashboard(file) for file in FILES]
    for key in ("uid", "title"):
        assert len({one[key] for one in read}) == len(FILES)


def test_the_data_come_from_where_grafana_is_told_they_are() -> None:
    provisioned = (GRAFANA / "provisioning" / "datasources" / "prometheus.yml").read_text()
    assert f"uid: {DATASOURCE['uid']}\n" in provisioned
    assert f"type: {DATASOURCE['type']}\n" in provisioned
    provider = (GRAFANA / "provisioning" / "dashboards" / "routiq.yml").read_text()
    assert re.search(r"path: /\S+/dashboards\n", provider)


@each_dashboard
def test_each_panel_says_what_it_shows_and_in_which_unit(file: Path) -> None:
    panels = dashboard(file)["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    assert len({panel["title"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["type"] in ("stat", "timeseries")
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["datasource"] == DATASOURCE
        assert panel["targets"]
        for target in panel["targets"]:
            assert target["datasource"] == DATASOURCE
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@each_dashboard
def test_no_panel_lies_over_another_or_reaches_over_the_edge(file: Path) -> None:
    places = [panel["gridPos"] for panel in dashboard(file)["panels"]]
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)
    assert not [pair for pair in combinations(places, 2) if _overlap(*pair)]


@each_dashboard
def test_red_begins_above_green(file: Path) -> None:
    for panel in dashboard(file)["panels"]:
        steps = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        assert steps[0] is None
        assert all(low < high for low, high in pairwise(steps[1:]))


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (beside or below)
