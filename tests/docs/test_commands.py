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

NOT_HERE = {
    "make ": "the build itself: .ci/run, and whoever runs this test",
    "docker compose": "needs a Docker engine: tests/deploy/test_compose_engine.py and test_compose_services.py",
    "prometheus --config": "tests/watching runs Prometheus with these files",
    "npm ": "tests/clients",
}
WITH_COMMANDS = [page for page in PAGES if "runbooks" not in page.parts and blocks(page)]
SAYS = {
    "/api/v1/auth/verify": '"organization_id":"org_demo_harbour"',
    "/api/v1/dashboard/": '"active_patients":',
    "/patients?limit=3": '"next_cursor":"',
    "/cliniko/sync/": '"sync_started":true',
    "system-health": '"timestamp"',
    "ROUTIQ status": "analytics",
    "ROUTIQ sync": "100.0 %.*Completed",
    "routiq backup": r"backups/routiq-\d{8}T\d{12}Z: [\d,]+ bytes",
    "routiq restore": "Everything is as it was at",
    "routiq replay": "records are on their way to every service",
    "routiq audit verify": "chains are whole",
}


@pytest.fixture(scope="module")
def shell() -> Iterator[Shell]:
    with running("embedded") as system:
        (system.home / ".venv").symlink_to(sys.prefix)
        yield Shell(system, "ROUTIQ=.venv/bin/routiq\n")


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_document_do_what_it_says(shell: Shell, page: Path) -> None:
    for block in blocks(page):
        if any(known in block for known in NOT_HERE):
            continue
        done = shell.run(block, {"ORG": HARBOUR, "BACKUP": _newest_backup(shell.system)})
        assert done.returncode == 0, block + done.stdout + done.stderr
        for part, answer in SAYS.items():
            assert part not in block or re.search(answer, done.stdout), block + done.stdout


def test_what_is_said_of_commands_is_of_one_that_is_there() -> None:
    commands = "".join(block for page in WITH_COMMANDS for block in blocks(page))
    assert [part for part in (*NOT_HERE, *SAYS) if part not in commands] == []


def _newest_backup(system: System) -> str:
    return str(max((system.home / "backups").glob("routiq-*"), default=Path("none")))
