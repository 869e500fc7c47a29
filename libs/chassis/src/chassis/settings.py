"""What every service is told from outside."""

import sys
from typing import NoReturn, Self

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once, in `main`. A service with a database takes `ServiceSettings`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True)

    host: str = "127.0.0.1"
    port: int = 8000
    identity_key: SecretStr = Field(min_length=32)
    """Shared by the gateway, which signs with it, and the services, which verify."""
    log_level: str = "INFO"

    @classmethod
    def load(cls) -> Self:
        """From the environment; ends the process with the names, never the values, of what is wrong."""
        try:
            return cls()
        except ValidationError as error:
            _refuse(error)


class ServiceSettings(Settings):
    """Settings of a service that keeps records and hears events."""

    database_url: SecretStr
    """`postgresql://role:password@host:port/database`; the service's own role."""
    amqp_url: SecretStr
    retry_delays: tuple[int, ...] = (1, 10, 60)
    """Seconds before each further attempt at a message; after the last one it is a dead letter."""


def _refuse(error: ValidationError) -> NoReturn:
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        name = "_".join(str(part) for part in problem["loc"]).upper()
        sys.stderr.write(f"setting {name}: {problem['msg']}\n")
    raise SystemExit(2)
