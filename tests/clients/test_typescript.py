"""The TypeScript client: its own tests, its README and the reference's example, against the running gateway."""

import json
import re
from pathlib import Path

import pytest
from tests.clients.conftest import NODE, NPM, SOURCE, Workshop
from tests.conftest import RIDGE, System
from tests.e2e.test_reference_client import EXAMPLE, filled_in

pytestmark = pytest.mark.e2e
USAGE = "// Usage"
README = (SOURCE / "README.md").read_text()
WRONG = 'import type { Schemas } from "../src/index.js";\nexport const of = (one: Schemas["SyncProgress"]) => one.{};\n'


def node(workshop: Workshop, *arguments: str, **environment: str) -> str:
    """What a program says that must end well."""
    done = workshop.run(NODE, *arguments, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in (SOURCE / "package-lock.json").read_text()


def test_the_types_are_those_of_the_document(workshop: Workshop) -> None:
    done = workshop.run(NPM, "run", "generate")
    assert done.returncode == 0, done.stderr
    made = (workshop.home / "src" / "schema.ts").read_text()
    assert (SOURCE / "src" / "schema.ts").read_text() == made, "run: make documents"


def test_the_client_needs_no_package_at_run_time() -> None:
    package = (SOURCE / "package.json").read_text()
    assert '"dependencies"' not in package
    sources = (path for path in (SOURCE / "src").glob("*.ts"))
    assert {name for path in sources for name in re.findall(r'from "([^".][^"]*)"', path.read_text())} == set()


@pytest.mark.parametrize(("field", "compiles"), [("progress_percentage", True), ("progress_percent", False)])
def test_a_wrong_field_name_does_not_compile(compiled: Workshop, field: str, compiles: bool) -> None:
    source = compiled.home / "tests" / "field.ts"
    source.write_text(WRONG.replace("{}", field))
    try:
        done = compiled.run(compiled.tool("tsc"), "--noEmit")
    finally:
        source.unlink()
    assert (done.returncode == 0) is compiles, done.stdout
    assert compiles or f"'{field}' does not exist" in done.stdout


def test_its_own_tests_pass(compiled: Workshop, surroundings: dict[str, str]) -> None:
    tests = sorted(str(path) for path in Path(compiled.home, "dist", "tests").glob("*.test.js"))
    assert len(tests) == 3
    said = node(compiled, "--test", "--test-reporter=tap", *tests, **surroundings)
    assert re.search(r"^# fail 0$", said, re.MULTILINE), said


@pytest.fixture(scope="module")
def frontend(compiled: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """An empty project into which the packed client was installed as its README says."""
    packed = compiled.run(NPM, "pack")
    assert packed.returncode == 0, packed.stderr
    project = Workshop(tmp_path_factory.mktemp("frontend"))
    (project.home / "package.json").write_text(json.dumps({"type": "module", "private": True}))
    name = packed.stdout.split()[-1]
    assert name in README, "the tarball is called otherwise than the README says"
    done = project.run(NPM, "install", "--offline", str(compiled.home / name))
    assert done.returncode == 0, done.stderr
    return project


def test_the_examples_of_its_readme_run_where_it_was_installed(
    compiled: Workshop, frontend: Workshop, started: System, surroundings: dict[str, str]
) -> None:
    blocks = re.findall(r"```ts\n(.*?)```", README, re.DOTALL)
    assert len(blocks) == 5
    (frontend.home / "readme.ts").write_text("".join(blocks))
    types = str(compiled.home / "node_modules" / "@types")
    options = ("--strict", "--module", "nodenext", "--target", "es2022", "--types", "node", "--typeRoots", types)
    done = frontend.run(compiled.tool("tsc"), *options, "readme.ts")
    assert done.returncode == 0, done.stdout
    active = started.get(f"/api/v1/dashboard/{RIDGE}", RIDGE)["summary"]["active_patients"]
    said = node(frontend, "readme.js", **surroundings).splitlines()
    assert said[0] == f"Active patients: {active}"
    assert said[2:] == ["CSV: true", "Synced: 100 %", "Refused: 404 Not found"]


def test_the_example_of_the_reference_is_used_alike_with_it_and_without_it(
    compiled: Workshop, started: System, tmp_path: Path
) -> None:
    ours = SOURCE / "examples" / "reference.ts"
    assert ours.read_text().partition(USAGE)[2] == EXAMPLE.read_text().partition(USAGE)[2]
    (compiled.home / "examples" / "without.ts").write_text(EXAMPLE.read_text() + "\nexport {};\n")
    done = compiled.run(compiled.tool("tsc"))
    assert done.returncode == 0, done.stdout
    said = []
    for name in ("reference.js", "without.js"):
        script = compiled.home / "dist" / "examples" / name
        script.write_text(filled_in(script.read_text(), started.url(""), started.token(RIDGE)))
        said.append(node(compiled, str(script)))
    active = started.get(f"/api/v1/dashboard/{RIDGE}", RIDGE)["summary"]["active_patients"]
    assert said == [f"Active patients: {active}\n"] * 2
