"""What admin is told from outside, beside what every service is."""

from pydantic import Field, SecretStr, field_validator

from admin.domain.webhooks import secrets_in
from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """The service's own."""

    audit_years: int = Field(6, ge=6, le=100)
    """For so long audit entries are kept whatever an operator asks; the law says six."""
    clerk_webhook_secret: SecretStr | None = None
    """`whsec_…`, with which Clerk signs what it tells; several, comma separated, while it is changed."""

    @field_validator("clerk_webhook_secret")
    @classmethod
    def _usable(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret:
            secrets_in(secret.get_secret_value())
        return secret

    @property
    def webhook_secrets(self) -> tuple[bytes, ...]:
        """None: nothing that Clerk tells is believed."""
        return secrets_in(self.clerk_webhook_secret.get_secret_value()) if self.clerk_webhook_secret else ()
