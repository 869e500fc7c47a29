"""How a backup is made: of which server, by which programs, and what is left of one that is given up."""

import asyncio
import signal
import subprocess
from pathlib import Path

import asyncpg
import pytest
from tests.conftest import ROUTIQ, System

from routiq.invocation import ENDED

pytestmark = pytest.mark.e2e

COPYING = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pg_dump'"


def test_a_backup_is_made_through_an_address_and_what_it_says_of_the_connection(
    damaged: System, tmp_path: Path
) -> None:
    address = f"{damaged.owner_url}?sslmode=disable&target_session_attrs=read-write"
    elsewhere = System(tmp_path, {**damaged.environment, "DATABASE_URL": address})
    made = elsewhere.command("backup", check=False)
    assert "bytes" in made.stdout, made.stderr
    refused = System(tmp_path, {**elsewhere.environment, "DATABASE_URL": address.replace("disable", "require")})
    assert refused.command("backup", check=False).returncode == 1
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_where_there_is_nothing_to_copy_it_says_so(damaged: System, tmp_path: Path) -> None:
    other = damaged.owner_url.rpartition("/")[0] + "/postgres"
    for address, why in ((other, "nothing to copy"), (other.replace("routiq:", "routiq:not"), "does not let")):
        made = System(tmp_path, {**damaged.environment, "DATABASE_URL": address}).command("backup", check=False)
        assert made.returncode == 1
        assert why in made.stderr
    assert not list((tmp_path / "backups").glob("*"))


async def test_a_backup_that_is_given_up_leaves_nothing_behind(damaged: System) -> None:
    owner, watcher = [await asyncpg.connect(damaged.owner_url) for _ in range(2)]
    before = set((damaged.home / "backups").glob("*"))
    async with owner.transaction():
        await owner.execute("LOCK TABLE patients.patients IN ACCESS EXCLUSIVE MODE")
        command = subprocess.Popen(  # noqa: ASYNC220 - it only starts here
            [*ROUTIQ, "backup"],
            cwd=damaged.home,
            env=damaged.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        while not await watcher.fetch(COPYING):
            assert command.poll() is None
            await asyncio.sleep(0.1)
        command.send_signal(signal.SIGTERM)
        complaint = (await asyncio.to_thread(command.communicate))[1].decode()
        async with asyncio.timeout(20):
            while await watcher.fetch(COPYING):
                await asyncio.sleep(0.1)
    await asyncio.gather(owner.close(), watcher.close())
    assert command.returncode == ENDED
    assert "Traceback" not in complaint, complaint
    assert set((damaged.home / "backups").glob("*")) == before
