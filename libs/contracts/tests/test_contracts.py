import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from contracts.base import Event
from contracts.events import FiguresCounted, PatientsSynced, SyncRunChanged
from contracts.examples import EXAMPLES
from contracts.routes import ROUTES, confirmed_by
from contracts.schemas import ADVICE, EVENTS, breaking_changes, file_name, write

SNAPSHOTS = Path(__file__).parent.parent / "schemas"


def snapshot(event: type[Event]) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SNAPSHOTS / file_name(event)).read_text())
    return schema


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_an_event_only_adds_to_its_committed_schema(event: type[Event]) -> None:
    found = breaking_changes(snapshot(event), event.model_json_schema())
    assert not found, "\n".join([*found, ADVICE])


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_the_committed_schema_is_the_current_one(event: type[Event]) -> None:
    assert snapshot(event) == event.model_json_schema(), "run: make schemas"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: type(example).__name__)
def test_an_example_survives_the_wire_and_fits_the_committed_schema(example: Event) -> None:
    body = example.model_dump_json()
    jsonschema.validate(json.loads(body), snapshot(type(example)))
    assert type(example).model_validate_json(body) == example


def test_every_event_has_an_example_and_a_docstring() -> None:
    assert {type(example) for example in EXAMPLES} == set(EVENTS)
    assert all(event.__doc__ for event in EVENTS)


def test_an_added_optional_field_is_no_breaking_change() -> None:
    old = SyncRunChanged.model_json_schema()
    new = copy.deepcopy(old)
    new["properties"]["note"] = {"type": "string", "default": ""}
    assert breaking_changes(old, new) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda schema: schema["properties"].pop("mode"),
        lambda schema: schema["properties"]["revision"].update(type="string"),
        lambda schema: schema["properties"]["mode"]["enum"].remove("basic"),
        lambda schema: schema["required"].append("completed_at"),
        lambda schema: schema["required"].remove("revision"),
    ],
    ids=["removed", "retyped", "narrowed", "newly required", "no longer required"],
)
def test_anything_but_an_addition_is_found(damage: Any) -> None:
    old = SyncRunChanged.model_json_schema()
    new = copy.deepcopy(old)
    damage(new)
    assert breaking_changes(old, new)


def test_a_change_inside_a_record_is_found() -> None:
    old = PatientsSynced.model_json_schema()
    new = copy.deepcopy(old)
    new["$defs"]["PatientRecord"]["properties"].pop("email")
    assert breaking_changes(old, new) == ["/PatientRecord/email is gone"]


def test_a_breaking_change_is_not_written_over_what_it_breaks(tmp_path: Path) -> None:
    write(tmp_path)
    file = tmp_path / file_name(SyncRunChanged)
    promised = json.loads(file.read_text())
    promised["properties"]["mode"]["enum"].append("monthly")
    promised["properties"]["gone"] = {"type": "string"}
    file.write_text(json.dumps(promised))
    for other in set(tmp_path.iterdir()) - {file}:
        other.unlink()
    with pytest.raises(SystemExit, match=r"run.changed.v1.json/gone is gone\n.* a new version beside the old one"):
        write(tmp_path)
    assert json.loads(file.read_text()) == promised
    assert list(tmp_path.iterdir()) == [file]


def test_no_two_routes_share_a_queue() -> None:
    queues = [route.queue(consumer) for route in ROUTES for consumer in route.consumers]
    assert len(queues) == len(set(queues))


def test_a_run_waits_for_those_readers_of_an_event_that_confirm_batches() -> None:
    assert confirmed_by(PatientsSynced) == ("analytics", "patients")
    assert confirmed_by(SyncRunChanged) == ("analytics", "patients")
    assert confirmed_by(FiguresCounted) == ()


def test_an_error_in_an_event_does_not_repeat_its_content() -> None:
    with pytest.raises(ValidationError) as refused:
        PatientsSynced.model_validate_json('{"organization_id": "org_a", "records": [{"first_name": "Canary"}]}')
    assert "Canary" not in str(refused.value)
