"""CONTRIBUTING.md's "Add a service" followed on a copy, as far as no database, engine or cluster is needed."""

import re
import shutil

import pytest
from tests.docs.conftest import Copy

pytestmark = pytest.mark.timeout(900)

NEW, AS = "notes", "analytics"
"""One that has its rooms, routes and consumers as another has them."""
ROUTES, DOOR = "libs/contracts/src/contracts/routes.py", "services/gateway/src/gateway/domain/routing.py"
KUBERNETES = "deploy/kubernetes/generate.py"
LINT = ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()")


@pytest.fixture
def grown(copy: Copy) -> Copy:
    """With a service that stands in the files that name types, imports, events and the gateway's paths."""
    home = copy.home / "services" / NEW
    shutil.copytree(copy.home / "services" / AS, home)
    (home / "src" / AS).rename(home / "src" / NEW)
    for path in home.rglob("*.py"):
        path.write_text(re.sub(rf"\b{AS}\b", NEW, path.read_text()))
    copy.add("pyproject.toml", f'"{NEW}", ', after=f'"{AS}", ')
    copy.add("pyproject.toml", f"{NEW} | ", after=f"{AS} | ")
    for room in ("domain", "handlers"):
        copy.add("pyproject.toml", f'"{NEW}.{room}", ', after=f'"{AS}.{room}", ')
    for route in re.findall(rf'^.*producer="{AS}".*\n', copy.says(ROUTES), re.MULTILINE):
        copy.add(ROUTES, route.replace(AS, NEW), after=route)
    heard = re.sub(rf'(consumers=.*"{AS}")', rf'\1, "{NEW}"', copy.says(ROUTES))
    (copy.home / ROUTES).write_text(heard)
    copy.add(DOOR, f'    Route("/api/v1/{NEW}/{{organization_id}}/*", "{NEW}"),\n', after="ROUTES = (\n")
    return copy


def test_a_service_is_added_and_what_is_generated_knows_it(grown: Copy) -> None:
    assert f"KeyError: '{NEW}'" in grown.run(KUBERNETES).stderr  # how many replicas?
    grown.add(KUBERNETES, f', "{NEW}": (2, 3)', after=f'"{AS}": (2, 3)')
    grown.make()
    assert f'"routiq_{NEW}"' in grown.says("deploy/rabbitmq/definitions.json")
    assert f"{NEW}.sync.patients.synced.v1" in grown.says("docs/asyncapi.json")
    assert f"name: {NEW}\n" in grown.says("deploy/kubernetes/base/network.yaml")
    done = grown.tested("libs/contracts/tests/test_asyncapi.py", f"services/{NEW}/tests/contract")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_service_has_the_rooms_of_the_others_and_knows_none_of_them(grown: Copy) -> None:
    kept = grown.run(*LINT)
    assert kept.returncode == 0, kept.stdout + kept.stderr
    package = grown.home / "services" / NEW / "src" / NEW
    (package / "utils.py").write_text("import analytics.handlers\n")
    broken = grown.run(*LINT).stdout
    assert f"{NEW}.utils" in broken
    assert f"{NEW} is not allowed to import {AS}" in broken
