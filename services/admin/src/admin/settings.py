"""What admin is told from outside, beside what every service is."""

from pydantic import Field

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """The service's own."""

    audit_years: int = Field(6, ge=6, le=100)
    """For so long audit entries are kept whatever an operator asks; the law says six."""
