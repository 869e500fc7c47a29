"""What the sync service is told from outside, beyond what every service is."""

from pydantic import SecretStr

from chassis.settings import ServiceSettings


class Settings(ServiceSettings):
    """See `chassis.settings` for how they are read."""

    credentials_keys: SecretStr
    """`<id>:<base64 of 32 bytes>`, comma separated; the first one seals."""
    cliniko_api_url: str = "https://api.{shard}.cliniko.com/v1"
    cliniko_contact: str = "operations@routiq.example"
    """Cliniko wants to know whom to write to: part of every request's User-Agent."""
    cliniko_requests_per_minute: int = 180
    """Of one API key, over all replicas; Cliniko allows 200 unless it has agreed to more."""
    schedule_enabled: bool = True
    """False: runs start by hand only; every replica should agree."""
