"""The platform as a whole."""

from dataclasses import dataclass
from typing import Literal

IntegrationStatus = Literal["operational", "degraded", "down", "not_configured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformFigures:
    """Sums over all organizations; they say nothing about any one of them."""

    total_organizations: int
    total_patients: int
    active_patients: int
    total_connections: int
    healthy_connections: int
    """Connections whose credentials Cliniko accepted when last used."""

    @property
    def cliniko_status(self) -> IntegrationStatus:
        """Whether Cliniko answers all, some or none of the organizations connected to it."""
        if not self.total_connections:
            return "not_configured"
        if not self.healthy_connections:
            return "down"
        return "operational" if self.healthy_connections == self.total_connections else "degraded"
