"""CONTRIBUTING.md's "Add a migration" followed on a copy: what it asks for passes, what it forbids is found."""

import subprocess
from pathlib import Path

import pytest
from tests.docs.conftest import Copy
from tests.docs.test_documents import ROOT

from routiq.plan import WITH_A_DATABASE

pytestmark = pytest.mark.timeout(900)  # each run of tests starts a PostgreSQL

REVISION = '''"""What a test adds."""

from alembic import op

from chassis.migrations import separate_tenants

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.execute({statement!r})
'''
NOTES = 'CREATE TABLE notes (organization_id text COLLATE "C", note text, PRIMARY KEY (organization_id, note))'
SEPARATED = '    separate_tenants("notes")\n'
ISOLATION = "services/patients/tests/integration/test_isolation.py"
GUARDED = f"{ISOLATION}::test_every_table_is_guarded_but_those_that_name_no_tenant"
LAST_OF_CLINIC = '    await clinic.hears(clinic.page(clinic.patient(3, last_name="Bell")))\n'
A_ROW = """    async with clinic.database.transaction(clinic.organization_id) as connection:
        note = text("INSERT INTO notes (organization_id, note) VALUES (:organization_id, 'one')")
        await connection.execute(note, {"organization_id": clinic.organization_id})
"""
DEPLOYED, DEPLOYS = "tests/deploy/test_postgres.py", "tests/deploys/test_migrations.py"
PARTED = "tests/deploy/test_partitions.py"


def test_a_table_of_tenants_passes_once_it_separates_them_and_has_a_row(copy: Copy) -> None:
    revision = _migrates(copy, "patients", NOTES)
    unguarded = copy.tested(ISOLATION)
    assert f"{GUARDED} FAILED" in unguarded.stdout
    copy.add(revision, SEPARATED, after=copy.says(revision))
    empty = copy.tested(ISOLATION)
    assert f"{GUARDED} PASSED" in empty.stdout
    assert "assert ['notes'] == []" in empty.stdout
    copy.add(ISOLATION, A_ROW, after=LAST_OF_CLINIC)
    done = copy.tested(ISOLATION, DEPLOYED, PARTED)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_table_that_does_not_separate_tenants_is_found_in_every_service(copy: Copy) -> None:
    for service in WITH_A_DATABASE:
        _migrates(copy, service, NOTES)
    found = copy.tested(f"{DEPLOYED}::test_every_table_that_names_an_organization_is_guarded")
    assert [service for service in WITH_A_DATABASE if f"'{service}.notes'" not in found.stdout] == []


def test_what_takes_something_away_or_changes_what_has_landed_is_found(copy: Copy) -> None:
    git = subprocess.run(
        ["git", "rev-parse", "--absolute-git-dir"],  # noqa: S607 - whichever git the machine has
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    (copy.home / ".git").write_text(f"gitdir: {git.stdout}")  # the released commit is taken from there
    renamed = _migrates(copy, "patients", "ALTER TABLE patients RENAME COLUMN listed TO shown")
    dropped = _migrates(copy, "analytics", "ALTER TABLE patients DROP COLUMN listed")
    landed = "services/sync/migrations/versions/0002_allowances.py"
    copy.add(landed, "    op.execute('ALTER TABLE allowances ADD COLUMN note text')\n", after=copy.says(landed))
    found = copy.tested(DEPLOYS, "-m", "not e2e")
    for told in ("patients.patients.listed", "analytics.patients.listed", landed):
        assert f"'{told}'" in found.stdout, found.stdout + found.stderr
    copy.add(dropped, 'contracts = ("analytics.patients.listed",)\n', after=copy.says(dropped))
    (copy.home / renamed).unlink()
    assert "analytics.patients.listed is still in use" in copy.tested(DEPLOYS, "-m", "not e2e").stdout


def _migrates(copy: Copy, service: str, statement: str) -> str:
    """A new revision of the service after its newest. Returns where it is."""
    versions = Path("services", service, "migrations", "versions")
    newest = max(path.name.partition("_")[0] for path in (copy.home / versions).glob("*.py"))
    revision = f"{int(newest) + 1:04}"
    text = REVISION.format(revision=revision, before=newest, statement=statement)
    (copy.home / versions / f"{revision}_added.py").write_text(text)
    return str(versions / f"{revision}_added.py")
