"""A command that stands in a sentence is one that there is: its program, module, files and options."""

import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

import asyncpg
import pytest
from conftest import PostgresServer
from tests.docs.test_documents import PAGES, ROOT, each_page
from typer.testing import CliRunner

from routiq.main import app

INLINE = re.compile(r"`(?:\.venv/bin/)?(routiq|make) ([a-z][^`]*)`")
DIRECT = re.compile(r"`[^`\n]*?((?:\.venv/bin/|python -m )(?!routiq )[^`]+)`")
"""Commands in sentences that are looked up: a program of the environment, a module."""
STATEMENT = re.compile(r"`((?:SELECT|CREATE INDEX) [^`]+)`")


def test_every_command_in_a_sentence_is_one_that_there_is() -> None:
    told = {given for page in PAGES for given in INLINE.findall(page.read_text())}
    targets = {words.split()[0] for program, words in told if program == "make"}
    done = subprocess.run(
        ["make", "--dry-run", *sorted(targets)],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for _, words in sorted(pair for pair in told if pair[0] == "routiq"):
        names = list(takewhile(re.compile(r"[a-z][a-z-]*$").match, words.split()))
        answer = CliRunner().invoke(app, [*names, "--help"])
        assert answer.exit_code == 0, f"routiq {words}\n{answer.output}"
        for option in re.findall(r"--[a-z-]+", words):
            assert option in answer.output, f"routiq {words}"


@each_page
def test_what_a_command_in_a_sentence_runs_is_there(page: Path) -> None:
    assert {given: _missing(given) for given in DIRECT.findall(page.read_text()) if _missing(given)} == {}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (".venv/bin/nothing x", [".venv/bin/nothing"]),
        (".venv/bin/python deploy/nothing.py", ["deploy/nothing.py"]),
        ("python -m sync.nothing", ["sync.nothing"]),
        ("python -m sync replay ORG --towards analytics", ["--towards"]),
        ("python -m sync rotate-keys", []),
        ("python -m chassis.migrations sync=services/sync/nothing", ["services/sync/nothing"]),
    ],
)
def test_a_command_that_runs_what_is_not_there_would_be_found(given: str, missing: list[str]) -> None:
    assert _missing(given) == missing


async def test_every_statement_in_a_sentence_is_one_that_the_schemas_take(
    postgres: PostgresServer, migrated_template: tuple[str, str]
) -> None:
    statements = [given for page in PAGES for given in STATEMENT.findall(page.read_text())]
    assert len(statements) > 2
    owner = await asyncpg.connect(f"{postgres.url.rpartition('/')[0]}/{migrated_template[0]}")
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute("SET LOCAL search_path TO patients")  # as in a revision
    for statement in statements:
        await owner.execute(statement.replace(" CONCURRENTLY", ""))  # which no transaction may contain
    await transaction.rollback()
    await owner.close()


def _missing(given: str) -> list[str]:
    """Its program, module, files, options and subcommands that there are not. NAMES are for a person to fill in."""
    program, *words = shlex.split(re.sub(r"[\[\]|]", " ", given))
    if program != "python" and not Path(sys.prefix, program.removeprefix(".venv/")).exists():
        return [program]
    if words[:1] != ["-m"]:
        return [word for word in words if "/" in word and not (ROOT / word).exists()]
    module = _module(words[1])
    if module is None:
        return [words[1]]
    files = [word.rpartition("=")[2] for word in words[2:] if "/" in word]
    names = [word for word in words[2:] if "/" not in word and word.islower()]
    return [file for file in files if not (ROOT / file).exists()] + [name for name in names if name not in module]


def _module(name: str) -> str | None:
    """The source of what `python -m` would run, of a package all of it; None if there is nothing to run."""
    try:
        found = find_spec(name)
    except ModuleNotFoundError:
        return None
    if found is None or found.origin is None:
        return None
    place = Path(found.origin)
    if not found.submodule_search_locations:
        return place.read_text()
    if not place.with_name("__main__.py").exists():
        return None
    return "".join(file.read_text() for file in sorted(place.parent.rglob("*.py")))
