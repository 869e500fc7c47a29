"""An eye on every organization."""

from admin.adapters.store import Organizations, platform_figures
from admin.domain.platform import PlatformFigures
from chassis.database import Database
from contracts.events import ConnectionChanged, FiguresCounted, OrganizationDeleted, SyncRunChanged


async def record_connection(event: ConnectionChanged, organizations: Organizations) -> None:
    """Keep whether the organization's integration answers.

    Somebody may connect it in the minute for which a session outlives its organization: then it is told again.
    """
    await organizations.put_connection(event)
    if event.connected and await organizations.deleted(event.organization_id):
        await organizations.announce(OrganizationDeleted(organization_id=event.organization_id))


async def record_run(event: SyncRunChanged, organizations: Organizations) -> None:
    """Keep when the organization was last synced."""
    await organizations.put_last_sync(event)


async def record_figures(event: FiguresCounted, organizations: Organizations) -> None:
    """Keep how large the organization is."""
    await organizations.put_figures(event)


async def examine_platform(database: Database) -> PlatformFigures | None:
    """The platform as a whole, or None while nothing can be known of it."""
    return await platform_figures(database)
