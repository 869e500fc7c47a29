"""The pages that show the map of events show all of it, and nothing else."""

import re

from tests.docs.test_documents import ROOT

from contracts.routes import ROUTES

PAGE = (ROOT / "docs" / "architecture.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| ([\w, ]+) \| ([\w, ]+) \|$", re.MULTILINE)
ARROW = re.compile(r"^ +([\w &]+?) (?:==|-\.-)>(?:\|[^|]*\|)? ([\w &]+)", re.MULTILINE)


def test_the_table_of_events_is_the_map() -> None:
    told = {
        (event, producer, consumer)
        for event, producers, consumers in ROW.findall(PAGE)
        for producer in producers.split(", ")
        for consumer in consumers.split(", ")
    }
    assert told == {(route.event.__name__, route.producer, name) for route in ROUTES for name in route.consumers}


def test_the_picture_of_the_parts_has_everyone_who_announces_and_everyone_who_hears() -> None:
    arrows = {(one, other) for ones, others in ARROW.findall(PAGE) for one in _names(ones) for other in _names(others)}
    assert {one for one, other in arrows if other == "events"} == {route.producer for route in ROUTES}
    assert {other for one, other in arrows if one == "events"} == {name for route in ROUTES for name in route.consumers}


def _names(nodes: str) -> list[str]:
    return nodes.split(" & ")
