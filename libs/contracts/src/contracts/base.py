"""What every message on the wire has in common."""

from datetime import UTC, datetime
from typing import Annotated, ClassVar
from uuid import UUID, uuid4

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

OrganizationId = Annotated[str, StringConstraints(pattern=r"^org_[A-Za-z0-9_]{1,64}$")]
ClinikoId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("lies outside the calendar") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment in UTC; a time without a zone is refused."""


class Message(BaseModel):
    """Immutable, tolerant of fields a newer producer adds, and silent about its content in errors."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Event(Message):
    """A fact about one organization, named in the past tense.

    `topic` and `version` make the routing key `<producer>.<topic>.v<version>`.
    """

    topic: ClassVar[str]
    version: ClassVar[int] = 1

    event_id: UUID = Field(default_factory=uuid4)
    occurred_at: Instant = Field(default_factory=lambda: datetime.now(UTC))
    organization_id: OrganizationId
    request_id: str | None = None

    @classmethod
    def routing_key(cls, producer: str) -> str:
        """The key under which `producer` announces this event."""
        return f"{producer}.{cls.topic}.v{cls.version}"
