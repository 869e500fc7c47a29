"""What every service is told from outside."""

import sys
from typing import NoReturn, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError
from sqlalchemy.engine import make_url

KEY_LENGTH = 32


class Settings(BaseSettings):
    """Read once, in `main`. A service with a database takes `ServiceSettings`."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True)

    host: str = "127.0.0.1"
    port: int = 8000
    identity_key: SecretStr
    """Shared by the gateway, which signs with it, and the services, which verify. Several, comma separated, while it
    is changed: the first one signs, each of them is believed."""
    log_level: str = "INFO"
    otel_exporter_otlp_endpoint: str | None = None
    """`http://host:4318` of a collector that takes traces by OTLP over HTTP; none given: nothing is traced."""
    otel_traces_sampler_arg: float = Field(0.1, ge=0, le=1)
    """The share of traces that is recorded."""

    @field_validator("identity_key")
    @classmethod
    def _strong(cls, key: SecretStr) -> SecretStr:
        if any(len(one) < KEY_LENGTH for one in key.get_secret_value().split(",")):
            raise ValueError(f"each key needs {KEY_LENGTH} characters")
        return key

    @classmethod
    def load(cls) -> Self:
        """From the environment; ends the process with the names, never the values, of what is wrong."""
        try:
            return cls()
        except ValidationError as error:
            _refuse(error)
        except SettingsError as error:
            sys.stderr.write(f"{error}\n")  # names the setting, not its value
            raise SystemExit(2) from None


class ServiceSettings(Settings):
    """Settings of a service that keeps records and hears events."""

    database_url: SecretStr
    """`postgresql://role:password@host:port/database`; the service's own role."""
    amqp_url: SecretStr
    amqp_declare: bool = True
    """False: RabbitMQ brings exchanges and queues itself (`deploy/rabbitmq`), and our user may declare nothing."""
    drain_seconds: float = 2
    """How long a service told to stop still takes requests, for those in front to notice; less once it is alone."""
    retry_delays: tuple[int, ...] = Field((1, 10, 60), min_length=1)
    """Seconds before each further attempt at a message; after the last one it is a dead letter."""

    @field_validator("database_url")
    @classmethod
    def _readable(cls, url: SecretStr) -> SecretStr:
        try:
            make_url(url.get_secret_value())
        except Exception:  # its text may quote the password
            raise ValueError("is not an address of the form postgresql://role:password@host:port/database") from None
        return url


def _refuse(error: ValidationError) -> NoReturn:
    for problem in error.errors(include_input=False, include_context=False, include_url=False):
        name = "_".join(str(part) for part in problem["loc"]).upper()
        sys.stderr.write(f"setting {name}: {problem['msg']}\n")
    raise SystemExit(2)
