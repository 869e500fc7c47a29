"""`routiq backup`: all services' schemas as they are at one moment, while everything goes on."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from routiq.console import out
from routiq.plan import WITH_A_DATABASE
from routiq.recovery.manifest import DUMP, Manifest
from routiq.recovery.server import Server

UNFINISHED = ".unfinished"


async def back_up(server: Server, directory: Path) -> Path:
    """A new directory below this one, whole and on the disk; what was killed on the way has a name of its own."""
    made_at = datetime.now(UTC)
    place = directory / f"routiq-{made_at:%Y%m%dT%H%M%S%fZ}"
    unfinished = place.with_name(place.name + UNFINISHED)
    unfinished.mkdir(mode=0o700, parents=True)
    dump = unfinished / DUMP
    dump.touch(mode=0o600)
    try:
        with out.status("Copying the database"):
            revisions = await _revisions(server)
            await server.run("pg_dump", "--format=custom", f"--file={dump}", database=server.database)
            await server.run("pg_restore", "--list", str(dump), database=server.database)
        Manifest.of(unfinished, made_at.isoformat(timespec="seconds"), revisions).write(unfinished)
        os.sync()
        return unfinished.rename(place)
    except BaseException:
        shutil.rmtree(unfinished)
        raise


async def _revisions(server: Server) -> dict[str, str]:
    async with server.connected(server.database) as connection:
        return {
            name: await connection.fetchval(f"SELECT version_num FROM {name}.alembic_version")  # noqa: S608 - our names
            for name in WITH_A_DATABASE
        }
