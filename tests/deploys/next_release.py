"""A release that does not exist yet: today's code with a field more in a record, in an event and in each schema."""

import shutil
from pathlib import Path

from tests.deploys.released import PARTS, WORKSPACE

from routiq.plan import WITH_A_DATABASE

CONTRACTS = Path("libs/contracts/src/contracts")
RECORD_FIELD, EVENT_FIELD = "pronouns", "applied_by"
"""Of `PatientRecord`, which sync announces, and of `BatchApplied`, which patients and analytics do."""
ADDITIONS = (
    ("records.py", '    last_name: str = ""\n', f'    {RECORD_FIELD}: str = "as told"\n'),
    ("events.py", "    also: tuple[UUID, ...] = ()\n", f'    {EVENT_FIELD}: str = "the next release"\n'),
)
REVISION = """
from alembic import op

revision = "next"
down_revision = {newest!r}


def upgrade() -> None:
    op.execute("ALTER TABLE outbox ADD COLUMN told_by text")
    op.execute("CREATE INDEX outbox_told_by ON outbox (told_by)")
"""


def copy_today(into: Path) -> Path:
    """Returns where it was made."""
    for part in PARTS:
        shutil.copytree(WORKSPACE / part, into / part, ignore=shutil.ignore_patterns("__pycache__", "tests"))
    return into


def foresee(into: Path) -> Path:
    """Change a copy of today's code to what a release may add to it. Returns where that is."""
    for file, after, addition in ADDITIONS:
        _add(into / CONTRACTS / file, after, addition)
    for service in WITH_A_DATABASE:
        versions = into / "services" / service / "migrations" / "versions"
        newest = max(versions.glob("*.py")).name.partition("_")[0]
        (versions / "next.py").write_text(REVISION.format(newest=newest))
    return into


def _add(path: Path, after: str, addition: str) -> None:
    before = path.read_text()
    assert before.count(after) == 1, f"{path.name} has changed: where does the field go?"
    path.write_text(before.replace(after, after + addition))
