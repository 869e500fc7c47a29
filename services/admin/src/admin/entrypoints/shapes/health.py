"""The operators' answers, key by key as the API reference has them. What is not known is null."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from admin.domain.platform import IntegrationStatus, PlatformFigures
from admin.entrypoints.shapes import examples
from contracts.timestamps import Moment


class DatabaseHealth(BaseModel):
    """Whether the database answers."""

    status: Literal["healthy", "unhealthy"]
    connected: bool


class ConfiguredServices(BaseModel):
    """How many organizations use each integration; of those the API reference names, we offer Cliniko."""

    cliniko: int | None = None
    chatwoot: int = 0


class Metrics(BaseModel):
    """Sums over all organizations."""

    total_organizations: int | None = None
    total_patients: int | None = None
    active_patients: int | None = None
    configured_services: ConfiguredServices = ConfiguredServices()


class ClinikoHealth(BaseModel):
    """Whether Cliniko accepts the organizations' credentials."""

    status: IntegrationStatus | None = None
    total_connections: int | None = None
    healthy_connections: int | None = None


class Integrations(BaseModel):
    """The systems clinics bring along."""

    cliniko: ClinikoHealth = ClinikoHealth()


class SystemHealth(BaseModel):
    """The platform at one moment."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SYSTEM_HEALTH]})

    database: DatabaseHealth
    metrics: Metrics = Metrics()
    integrations: Integrations = Integrations()
    timestamp: Moment

    @classmethod
    def of(cls, figures: PlatformFigures | None, now: datetime) -> Self:
        """The answer; no figures mean that the database is away."""
        if figures is None:
            return cls(database=DatabaseHealth(status="unhealthy", connected=False), timestamp=now)
        return cls(
            database=DatabaseHealth(status="healthy", connected=True),
            metrics=Metrics(
                total_organizations=figures.total_organizations,
                total_patients=figures.total_patients,
                active_patients=figures.active_patients,
                configured_services=ConfiguredServices(cliniko=figures.total_connections),
            ),
            integrations=Integrations(
                cliniko=ClinikoHealth(
                    status=figures.cliniko_status,
                    total_connections=figures.total_connections,
                    healthy_connections=figures.healthy_connections,
                )
            ),
            timestamp=now,
        )
