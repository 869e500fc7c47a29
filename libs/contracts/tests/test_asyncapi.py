from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts.asyncapi import document, text
from contracts.base import Event
from contracts.routes import ROUTES, Route
from contracts.schemas import EVENTS

FILE = Path(__file__).parents[3] / "docs" / "asyncapi.json"
DOCUMENT = document()


def found(reference: str) -> Any:
    """What a `$ref` of the document points to; raises KeyError when there is nothing."""
    node: Any = DOCUMENT
    for key in reference.removeprefix("#/").split("/"):
        node = node[key]
    return node


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def operations(action: str) -> set[tuple[str, str]]:
    """The service and the address of each operation of this kind."""
    return {
        (operation["tags"][0]["name"], found(operation["channel"]["$ref"])["address"])
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == action
    }


def test_the_committed_document_is_the_current_one() -> None:
    assert FILE.read_text() == text(), "run: make documents"


def test_every_route_and_every_queue_of_the_map_is_in_it_and_nothing_else() -> None:
    queues = {(consumer, route.queue(consumer)) for route in ROUTES for consumer in route.consumers}
    announced = {(route.producer, route.key) for route in ROUTES}
    assert operations("send") == announced
    assert operations("receive") == queues
    assert set(DOCUMENT["channels"]) == {address for _, address in announced | queues}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.key)
def test_a_route_carries_its_event_to_each_queue(route: Route) -> None:
    for address in (route.key, *map(route.queue, route.consumers)):
        assert list(DOCUMENT["channels"][address]["messages"]) == [route.event.__name__]


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        found(reference)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_the_example_of_a_message_is_what_its_schema_says(event: type[Event]) -> None:
    message = DOCUMENT["components"]["messages"][event.__name__]
    (example,) = message["examples"]
    jsonschema.validate(example["payload"], {**message["payload"], "components": DOCUMENT["components"]})


def test_a_message_is_described_as_its_committed_schema_is() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    for event in EVENTS:
        alone = event.model_json_schema(ref_template="#/components/schemas/{model}")
        records = alone.pop("$defs", {})
        assert schemas[event.__name__] == alone
        assert {name: schemas[name] for name in records} == records
