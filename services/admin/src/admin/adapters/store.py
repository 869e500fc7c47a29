"""What is known of each organization, and of all of them together."""

import asyncio
from datetime import datetime

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from admin.domain.platform import PlatformFigures
from chassis import outbox
from chassis.database import Database
from chassis.logs import describe
from contracts.base import Event
from contracts.events import ConnectionChanged, FiguresCounted, SyncRunChanged

log = structlog.get_logger()

PATIENCE_SECONDS = 2.0

_PUT_CONNECTION = text("""
    INSERT INTO organizations AS known (organization_id, connection_revision, connected, credentials_valid)
    VALUES (:organization_id, :revision, :connected, :credentials_valid)
    ON CONFLICT (organization_id) DO UPDATE SET
        connection_revision = excluded.connection_revision,
        connected = excluded.connected,
        credentials_valid = excluded.credentials_valid
    WHERE known.connection_revision < excluded.connection_revision
""")
_PUT_LAST_SYNC = text("""
    INSERT INTO organizations AS known (organization_id, last_synced_at)
    VALUES (:organization_id, :completed_at)
    ON CONFLICT (organization_id) DO UPDATE SET
        last_synced_at = greatest(known.last_synced_at, excluded.last_synced_at)
""")
_PUT_FIGURES = text("""
    INSERT INTO organizations AS known (organization_id, counted_at, total_patients, active_patients)
    VALUES (:organization_id, :occurred_at, :total_patients, :active_patients)
    ON CONFLICT (organization_id) DO UPDATE SET
        counted_at = excluded.counted_at,
        total_patients = excluded.total_patients,
        active_patients = excluded.active_patients
    WHERE known.counted_at < excluded.counted_at
""")
_ADD = text("INSERT INTO organizations (organization_id) VALUES (:organization_id) ON CONFLICT DO NOTHING")
_DELETE = text("""
    INSERT INTO organizations AS known (organization_id, deleted_at) VALUES (:organization_id, :deleted_at)
    ON CONFLICT (organization_id) DO UPDATE SET deleted_at = coalesce(known.deleted_at, excluded.deleted_at)
""")
_DELETED = text("SELECT deleted_at IS NOT NULL FROM organizations WHERE organization_id = :organization_id")
_KNOWN = text("SELECT EXISTS (SELECT FROM organizations WHERE organization_id = :organization_id)")
_PLATFORM_FIGURES = text("SELECT * FROM platform_figures()")


class Organizations:
    """One organization's row, as the transaction of one message sees it; of two states the newer is kept."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def known(self, organization_id: str) -> bool:
        """Whether there is such an organization; asked in a transaction of it."""
        return bool(await self._connection.scalar(_KNOWN, {"organization_id": organization_id}))

    async def add(self, organization_id: str) -> None:
        """There is such an organization, or was: one that was deleted stays so."""
        await self._connection.execute(_ADD, {"organization_id": organization_id})

    async def delete(self, organization_id: str, deleted_at: datetime) -> None:
        """There is no such organization any more; its row stays, so that nothing makes it anew."""
        await self._connection.execute(_DELETE, {"organization_id": organization_id, "deleted_at": deleted_at})

    async def deleted(self, organization_id: str) -> bool:
        """Whether it was deleted; what nobody has heard of was not."""
        return bool(await self._connection.scalar(_DELETED, {"organization_id": organization_id}))

    async def announce(self, *events: Event) -> None:
        """Say it to the other services when this transaction commits."""
        await outbox.announce(self._connection, "admin", events)

    async def put_connection(self, event: ConnectionChanged) -> None:
        """Whether it is connected, and whether Cliniko accepts its credentials."""
        await self._connection.execute(_PUT_CONNECTION, event.model_dump())

    async def put_last_sync(self, event: SyncRunChanged) -> None:
        """When a run last completed; for a run that did not complete, only that the organization exists."""
        completed_at = event.completed_at if event.status == "completed" else None
        row = {"organization_id": event.organization_id, "completed_at": completed_at}
        await self._connection.execute(_PUT_LAST_SYNC, row)

    async def put_figures(self, event: FiguresCounted) -> None:
        """How large it is."""
        await self._connection.execute(_PUT_FIGURES, event.model_dump())


async def platform_figures(database: Database) -> PlatformFigures | None:
    """The sums over all organizations; None when the database does not answer within 2 s."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async with database.transaction() as connection:
                return PlatformFigures(**(await connection.execute(_PLATFORM_FIGURES)).mappings().one())
    except (SQLAlchemyError, OSError) as error:
        log.warning("database does not answer", **describe(error))
        return None
