"""What Clerk says of the organizations whose people sign in there, in any order and more than once."""

from datetime import datetime

from admin.adapters.chain import Chain
from admin.adapters.store import Organizations
from admin.domain import testimony
from contracts.events import OrganizationDeleted


async def organization_created(
    organization_id: str, message_id: str, at: datetime, organizations: Organizations, chain: Chain
) -> None:
    """There is one more, though it be connected later or never."""
    await organizations.add(organization_id)
    await chain.append([testimony.of_organization("organization.created", message_id, at)])


async def organization_updated(
    organization_id: str, _message_id: str, _at: datetime, organizations: Organizations, _chain: Chain
) -> None:
    """It exists; nothing is kept of what it is called."""
    await organizations.add(organization_id)


async def organization_deleted(
    organization_id: str, message_id: str, at: datetime, organizations: Organizations, chain: Chain
) -> None:
    """It is disconnected and its schedule ends; its records stay for as long as the law wants them kept."""
    await organizations.delete(organization_id, at)
    await organizations.announce(OrganizationDeleted(organization_id=organization_id, occurred_at=at))
    await chain.append([testimony.of_organization("organization.deleted", message_id, at)])
