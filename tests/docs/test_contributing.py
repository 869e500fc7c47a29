"""CONTRIBUTING.md followed on a copy: what it says fails does fail, and what it says mends it does."""

import json
import re
from pathlib import Path

from tests.clients.answers import lost
from tests.docs.conftest import Copy
from tests.docs.test_documents import ROOT

EVENTS, SHAPES = "libs/contracts/src/contracts/events.py", "services/analytics/src/analytics/entrypoints/shapes.py"
EXAMPLES, ROUTES = "libs/contracts/src/contracts/examples.py", "libs/contracts/src/contracts/routes.py"
EVENT = '''

class ClinicRenamed(Event):
    """A clinic is called otherwise."""

    topic: ClassVar[str] = "clinic.renamed"

    name: str
'''
ENDPOINT = '''

@router.get("/size", responses=conditional(Summary))
async def size(asked: Asked, known: Known = None) -> Response:
    """The clinic's figures, once more."""
    return await summary(asked, known)
'''
HTTP = "services/analytics/src/analytics/entrypoints/http.py"
LISTING = (
    "*",
    "libs/*/src/**/routes.py",
    "services/gateway/src/**/*.py",
    "cli/src/**/*.py",
    "docs/*.py",
    "deploy/**/*.y*ml",
    "deploy/**/*.py",
)
"""Where services are named one by one; what is generated and what counts in figures is no list of them."""


def test_a_field_that_may_be_left_out_is_added_to_an_event_and_the_schemas_follow(copy: Copy) -> None:
    copy.add(EVENTS, "    new_patients: int = 0\n")
    told = copy.tested()
    assert told.returncode == 1, told.stdout + told.stderr
    assert "run: make schemas" in told.stdout
    copy.make()
    done = copy.tested()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "new_patients" in copy.says("docs/asyncapi.json")


def test_a_field_that_must_be_there_breaks_the_contract_and_it_says_so(copy: Copy) -> None:
    copy.add(EVENTS, "    new_patients: int\n")
    told = copy.tested()
    assert told.returncode != 0
    assert "FiguresCounted\nnew_patients\n" in told.stdout.replace("E   ", "").replace("  ", "")


def test_an_event_is_added_and_everyone_is_told_of_it(copy: Copy) -> None:
    copy.add(EVENTS, EVENT, after=copy.says(EVENTS))
    copy.add(ROUTES, "    ClinicRenamed,\n", after="    CleanupRequested,\n")
    copy.add(ROUTES, '    Route(ClinicRenamed, producer="gateway", consumers=("analytics",)),\n', after="ROUTES = (\n")
    copy.add(EXAMPLES, "    ClinicRenamed,\n", after="    CleanupRequested,\n")
    example = '    ClinicRenamed.model_validate({**COMMON, "name": "Harbour"}),\n'
    copy.add(EXAMPLES, example, after=_line(copy.says(EXAMPLES), "    FiguresCounted.model_validate"))
    assert "ClinicRenamed" in copy.tested().stdout
    copy.make()
    done = copy.tested()
    assert done.returncode == 0, done.stdout + done.stderr
    for told in ("docs/asyncapi.json", "deploy/rabbitmq/definitions.json"):
        assert "gateway.clinic.renamed.v1" in copy.says(told)
        assert "gateway.clinic.renamed.v1" not in (ROOT / told).read_text()


def test_an_endpoint_is_added_and_the_document_tells_of_it(copy: Copy) -> None:
    copy.add(HTTP, ENDPOINT, after=copy.says(HTTP))
    made = copy.run("docs/openapi.py", "docs/openapi.json")
    assert made.returncode == 0, made.stderr
    before, after = (json.loads((home / "docs" / "openapi.json").read_text()) for home in (ROOT, copy.home))
    assert after["paths"].keys() - before["paths"].keys() == {"/api/v1/dashboard/{organization_id}/size"}
    assert lost(before, after) == []


def test_every_file_that_lists_the_services_is_named_where_one_is_added() -> None:
    told = (ROOT / "CONTRIBUTING.md").read_text().partition("## Add a service")[2]
    listing = [path for pattern in LISTING for path in ROOT.glob(pattern) if _lists_the_services(path)]
    assert len(listing) > 10
    named = re.findall(r"`([\w/.-]+)`", told)
    missing = [path for path in (str(path.relative_to(ROOT)) for path in listing) if not path.startswith(tuple(named))]
    assert missing == []


def test_a_field_of_an_answer_is_not_in_the_document_until_it_is_made_anew(copy: Copy) -> None:
    copy.add(SHAPES, "    new_patients: int = 0\n")
    made = copy.run("docs/openapi.py", "made.json")
    assert made.returncode == 0, made.stderr
    assert copy.says("made.json") != copy.says("docs/openapi.json")
    assert "new_patients" in copy.says("made.json")


def _lists_the_services(path: Path) -> bool:
    if not path.is_file() or path.name.endswith("_test.yml"):
        return False
    said = path.read_text()
    return all(re.search(rf"(?<![a-z]){name}(?![a-z])", said) for name in ("patients", "sync", "analytics", "admin"))


def _line(said: str, beginning: str) -> str:
    return next(line for line in said.splitlines(keepends=True) if line.startswith(beginning))
