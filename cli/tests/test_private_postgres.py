import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from tempfile import gettempdir

import asyncpg
import pytest

from routiq.accounts import unprivileged
from routiq.failures import ReportedError
from routiq.ports import free_port
from routiq.processes import running
from routiq.servers import binaries
from routiq.servers.binaries import Choice
from routiq.servers.postgres import Postgres, ensure_database

AS_NOBODY = """
import asyncio, os, pwd, sys
import asyncpg
from pathlib import Path
from routiq.processes import running
from routiq.servers import binaries
from routiq.servers.postgres import Postgres

home, port, choice = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
found = binaries.find(home, None, choice)
nobody = pwd.getpwnam("nobody")
os.setgroups([]); os.setgid(nobody.pw_gid); os.setuid(nobody.pw_uid)

async def main():
    server = Postgres(found, home, port, "secret", account=None, durable=False)
    async with running(server.program(home / "initdb.log"), logs=home):
        connection = await asyncpg.connect(server.url())
        print(await connection.fetchval("SELECT 6 * 7"), os.geteuid() == nobody.pw_uid)
        await connection.close()

asyncio.run(main())
"""


def server(home: Path, choice: Choice) -> Postgres:
    account = unprivileged()
    try:
        found = binaries.find(home, account, choice)
    except ReportedError as missing:
        pytest.skip(str(missing))
    within = binaries.within_reach(found, account, home)
    return Postgres(within, home, free_port(), "p@ss:word/%", account, durable=False)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Below a directory that only we may enter, as a checkout in root's home is."""
    tmp_path.chmod(0o700)
    place = tmp_path / "postgres"
    yield place
    binaries.forget_copy(place)


@pytest.mark.parametrize("choice", ["installed", "embedded"])
async def test_what_was_written_is_there_after_a_restart(home: Path, choice: Choice) -> None:
    postgres = server(home, choice)
    log = home.with_suffix(".log")
    async with running(postgres.program(log), logs=home.parent):
        await ensure_database(postgres.url(), "clinic")
        connection = await asyncpg.connect(postgres.url("clinic"))
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        await connection.close()
    async with running(postgres.program(log), logs=home.parent):
        await ensure_database(postgres.url(), "clinic")
        connection = await asyncpg.connect(postgres.url("clinic"))
        assert await connection.fetchval("SELECT answer FROM kept") == 42
        await connection.close()


async def test_a_wrong_password_is_refused(home: Path) -> None:
    postgres = server(home, "embedded")
    async with running(postgres.program(home.with_suffix(".log")), logs=home.parent):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(postgres.url(), password="guessed")


async def test_an_interrupted_first_start_is_made_good(home: Path) -> None:
    postgres = server(home, "embedded")
    unfinished = home / postgres.binaries.major / "new" / "base"
    unfinished.mkdir(parents=True)
    async with running(postgres.program(home.with_suffix(".log")), logs=home.parent):
        connection = await asyncpg.connect(postgres.url())
        await connection.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("choice", ["installed", "embedded"])
def test_an_ordinary_user_runs_it_as_themselves(tmp_path: Path, choice: Choice) -> None:
    account = unprivileged()
    assert account
    server(tmp_path, choice)  # skips where there is none
    home = tmp_path / "own"
    home.mkdir()
    account.takes(home)
    for parent in takewhile(lambda directory: directory != Path(gettempdir()), home.parents):
        parent.chmod(0o755)
    command = [sys.executable, "-c", AS_NOBODY, str(home), str(free_port()), choice]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env={"HOME": str(home)})
    assert ran.stdout == "42 True\n", ran.stderr


def test_data_are_opened_by_the_version_that_made_them(tmp_path: Path) -> None:
    usual = binaries.find(tmp_path, unprivileged())
    embedded = binaries.find(tmp_path, unprivileged(), "embedded")
    (tmp_path / embedded.major).mkdir()
    assert binaries.find(tmp_path, unprivileged()).major == embedded.major
    assert usual.origin in ("installed", "embedded")
