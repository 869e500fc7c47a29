"""`routiq backup`: all services' schemas as they are at one moment, while everything goes on."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from routiq.console import out
from routiq.failures import ReportedError
from routiq.plan import WITH_A_DATABASE
from routiq.recovery.manifest import DUMP, Manifest
from routiq.recovery.server import NOT_OURS, Server

UNFINISHED = ".unfinished"


async def back_up(server: Server, directory: Path) -> Path:
    """A new directory below this one, whole and on the disk; what was killed on the way has a name of its own.

    Raises ReportedError, and then nothing is left of it.
    """
    place = directory / f"routiq-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    unfinished = place.with_name(place.name + UNFINISHED)
    unfinished.mkdir(mode=0o700, parents=True)
    dump = unfinished / DUMP
    dump.touch(mode=0o600)
    try:
        with out.status("Copying the database"):
            made_at, revisions = await _copy(server, dump)
        Manifest.of(unfinished, made_at.isoformat(timespec="seconds"), revisions).write(unfinished)
        os.sync()
        return unfinished.rename(place)
    except BaseException as error:
        shutil.rmtree(unfinished)
        if isinstance(error, NOT_OURS):
            raise ReportedError("There is nothing to copy: this database has no tables of Routiq.") from None
        raise


async def _copy(server: Server, dump: Path) -> tuple[datetime, dict[str, str]]:
    """Returns a moment until which everything is in it, and the revisions, which are of the records' own moment."""
    async with server.connected(server.database) as connection:
        made_at = await connection.fetchval("SELECT clock_timestamp()")
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
            revisions = {
                name: await connection.fetchval(f"SELECT version_num FROM {name}.alembic_version")  # noqa: S608 - ours
                for name in WITH_A_DATABASE
            }
            options = ("--format=custom", f"--snapshot={snapshot}", f"--file={dump}")
            await server.run("pg_dump", *options, database=server.database)
    return made_at, revisions
