"""What the gateway is told from outside."""

from typing import Annotated

from pydantic import SecretStr, field_validator
from pydantic_settings import NoDecode

from chassis.settings import Settings as CommonSettings
from contracts.base import OrganizationId
from gateway.adapters.valkey import Address

Listed = Annotated[tuple[str, ...], NoDecode]
"""In the environment separated by commas."""


class Settings(CommonSettings):
    """Where Clerk and the services are, who may call, how much and how long."""

    app_env: str = "development"
    patients_url: str
    sync_url: str
    analytics_url: str
    admin_url: str
    clerk_issuer: str
    clerk_jwks_url: str = ""
    """By default where the issuer publishes it."""
    clerk_authorized_parties: Listed = ()
    """Origins a token may have been made for (`azp`); none given: any."""
    clerk_secret_key: SecretStr | None = None
    """For Clerk's Backend API, which knows a person's other organizations; none given: only the session's counts."""
    clerk_api_url: str = "https://api.clerk.com"
    platform_organization_id: OrganizationId | None = None
    """The organization whose administrators operate the platform; none given: nobody does."""
    allowed_origins: Listed = ()
    """Origins of the frontends that browsers may call from."""
    trusted_proxies: Listed = ()
    """Addresses or networks of the proxies in front whose X-Forwarded headers are believed; none given: nobody's."""
    redis_url: SecretStr | None = None
    """`redis://` or `rediss://user:password@host:port/database` of the Redis or Valkey in which all replicas count;
    none given: this process counts alone."""
    amqp_url: SecretStr | None = None
    """RabbitMQ, for telling the audit who was turned away; none given, or away: the gateway works as well."""
    body_limit: int = 1024 * 1024
    """Bytes of a request's body."""
    service_timeout_seconds: float = 15
    """Without a byte from a service, unless the routing table allows its route more."""
    client_timeout_seconds: float = 15
    """Without a byte of a body that a client announced, or before it takes more of its answer."""
    drain_seconds: float = 2
    """How long a gateway told to stop still takes requests, for those in front to notice; less once it is alone."""

    @field_validator("clerk_authorized_parties", "allowed_origins", "trusted_proxies", mode="before")
    @classmethod
    def _separate(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        items = value.split(",") if isinstance(value, str) else value
        return tuple(item.strip() for item in items if item.strip())

    @field_validator("redis_url")
    @classmethod
    def _readable(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            Address.parse(value.get_secret_value())
        return value

    @property
    def jwks_url(self) -> str:
        """Where Clerk's public keys are."""
        return self.clerk_jwks_url or f"{self.clerk_issuer}/.well-known/jwks.json"

    @property
    def service_urls(self) -> dict[str, str]:
        """Every service the gateway routes to, by name."""
        return {
            "patients": self.patients_url,
            "sync": self.sync_url,
            "analytics": self.analytics_url,
            "admin": self.admin_url,
        }
