"""Every command of every document is run: here, or where the table says. Runbooks have a test of their own."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import HARBOUR, System, running
from tests.docs.test_documents import PAGES, ROOT
from tests.shell import Shell, blocks

pytestmark = pytest.mark.e2e

CLIENT = "tests/clients"
NOT_HERE = {
    ("README.md", "make up "): "tests/conftest.py starts every system by the command that `make up` gives",
    (
        "README.md",
        "prometheus --config",
    ): "stays in front: tests/watching/test_rules.py checks the file, tests/watching/prometheus.py runs one",
    ("CONTRIBUTING.md", "make environment"): "who runs this test has done it: .ci/run",
    ("CONTRIBUTING.md", ".venv/bin/pytest"): "conftest.py: any run of tests is one",
    ("CONTRIBUTING.md", ".venv/bin/python deploy"): "on a copy: tests/docs/test_contributing.py",
    ("clients/typescript/README.md", "npm ci"): f"{CLIENT}/test_typescript.py",
    ("clients/typescript/README.md", ".venv/bin/python docs/openapi.py"): f"{CLIENT}/test_documents.py",
}
"""By page and beginning: blocks that are not run here, and where what they do is tried. All others are run."""
ELSEWHERE = re.compile(r"^(?:docker|kubectl) .*\n|^git pull && |make environment && ", re.MULTILINE)
"""Of the others, what needs an engine, a cluster or a checkout: tests/docs/test_containers.py reads all of it,
tests/deploy/test_compose_engine.py runs a start, the demo and an upgrade where there is an engine."""
SHOWN = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(
    r"^ *(?:\.venv/bin/\w+|make|docker|kubectl|npm|curl|psql|routiq|python|git|prometheus) ", re.MULTILINE
)
NAMED = re.compile(r"[\w/]+\.py|\.ci/run")
WITH_COMMANDS = [page for page in PAGES if "runbooks" not in page.parts and blocks(page)]
SAYS = {
    "/api/v1/auth/verify": '"organization_id":"org_demo_harbour"',
    "/api/v1/dashboard/": '"active_patients":',
    "/patients?limit=3": '"next_cursor":"',
    "/cliniko/sync/": '"sync_started":true',
    "system-health": '"timestamp"',
    "ROUTIQ status": "analytics",
    "ROUTIQ sync": "100.0 %.*Completed",
    "routiq deploy": "runs anew; it was away for",
    "routiq backup": r"backups/routiq-\d{8}T\d{12}Z: [\d,]+ bytes",
    "routiq restore": "Everything is as it was at",
    "routiq replay": "records are on their way to every service",
    "routiq audit verify": "chains are whole",
    "routiq init --domain": "Fill in CLERK_SECRET_KEY",
    "routiq init --update": "has every key",
}


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    with running("embedded") as system:
        (system.home / ".venv").symlink_to(sys.prefix)
        yield Shell(system, "ROUTIQ=.venv/bin/routiq\n")


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_document_do_what_it_says(shell: Shell, page: Path) -> None:
    for block in blocks(page):
        here = "" if _listed(page, block) else ELSEWHERE.sub("", block)
        if "POSTGRES_PASSWORD" in here:  # as `routiq init` writes it, with that of this system
            (shell.system.home / ".env").write_text(f"POSTGRES_PASSWORD={shell.system.secrets['owner_password']}\n")
        done = shell.run(here, {"ORG": HARBOUR, "BACKUP": _newest_backup(shell.system)})
        assert done.returncode == 0, here + done.stdout + done.stderr
        for part, answer in SAYS.items():
            assert part not in here or re.search(answer, done.stdout), here + done.stdout


def test_what_is_said_of_commands_is_of_one_that_is_there() -> None:
    commands = [(page, block) for page in WITH_COMMANDS for block in blocks(page)]
    assert [part for part in SAYS if not any(part in block for _, block in commands)] == []
    assert set(NOT_HERE) == {listed for page, block in commands for listed in _listed(page, block)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_stand_in_blocks_that_are_run(page: Path) -> None:
    for language, block in SHOWN.findall(page.read_text()):
        assert language == "sh" or not PROGRAM.search(block), f"mark it as sh:\n{block}"


def test_what_is_not_run_here_names_where_it_is() -> None:
    assert [why for why in NOT_HERE.values() if not NAMED.search(why)] == []
    assert [file for why in NOT_HERE.values() for file in NAMED.findall(why) if not (ROOT / file).exists()] == []


def _listed(page: Path, block: str) -> list[tuple[str, str]]:
    """The entries of NOT_HERE for a block: one or none."""
    name = str(page.relative_to(ROOT))
    return [(of, beginning) for of, beginning in NOT_HERE if of == name and block.startswith(beginning)]


def _newest_backup(system: System) -> str:
    return str(max((system.home / "backups").glob("routiq-*"), default=Path("none")))
