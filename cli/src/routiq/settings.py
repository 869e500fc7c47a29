"""What a person sets from outside, all of it optional: see README."""

from collections.abc import Mapping
from dataclasses import dataclass

from routiq.failures import UsageError
from routiq.servers.binaries import Choice

PORTS = {
    "gateway": ("PORT", 8000),
    "patients": ("PATIENTS_PORT", 8001),
    "sync": ("SYNC_PORT", 8002),
    "analytics": ("ANALYTICS_PORT", 8003),
    "admin": ("ADMIN_PORT", 8004),
    "cliniko": ("CLINIKO_PORT", 8010),
    "clerk": ("CLERK_PORT", 8011),
    "postgres": ("POSTGRES_PORT", 8012),
    "broker": ("AMQP_PORT", 8013),
}
CHOICES: Mapping[str, Choice] = {"installed": "installed", "embedded": "embedded"}
PLATFORM_ORGANIZATION = "org_platform_operators"
OF_DATA = ("DATABASE_URL", "AMQP_URL", "CREDENTIALS_KEYS")
"""Settings without which a later command would look elsewhere, and which are too secret to be written down."""


@dataclass(frozen=True)
class Settings:
    """An address that is none means: start our own."""

    ports: Mapping[str, int]
    given: Mapping[str, str]
    """Everything else that was set, by its name in the environment, never empty."""
    postgres: Choice | None
    broker: Choice | None

    @property
    def platform_organization(self) -> str:
        return self.given.get("PLATFORM_ORGANIZATION_ID", PLATFORM_ORGANIZATION)

    @property
    def has_own_cliniko(self) -> bool:
        return "CLINIKO_API_URL" not in self.given

    @property
    def has_own_clerk(self) -> bool:
        return "CLERK_ISSUER" not in self.given


def from_environment(environment: Mapping[str, str]) -> Settings:
    given = {name: value for name, value in environment.items() if value}
    return Settings(
        ports={name: _port(given, setting, usual) for name, (setting, usual) in PORTS.items()},
        given=given,
        postgres=_choice(given, "ROUTIQ_POSTGRES"),
        broker=_choice(given, "ROUTIQ_BROKER"),
    )


def _port(given: Mapping[str, str], setting: str, usual: int) -> int:
    value = given.get(setting, str(usual))
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise UsageError(f"{setting} must be a port between 1 and 65535, not {value!r}.")
    return int(value)


def _choice(given: Mapping[str, str], setting: str) -> Choice | None:
    value = given.get(setting)
    if value is not None and value not in CHOICES:
        raise UsageError(f"{setting} must be one of {', '.join(CHOICES)}, not {value!r}.")
    return CHOICES[value] if value else None
