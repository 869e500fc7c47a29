"""What an API key of Cliniko says by itself."""

import re

_SHARD = re.compile(r"[a-z]{2}[0-9]{1,2}", re.IGNORECASE | re.ASCII)
OLDEST_SHARD = "au1"


def shard_of(api_key: str) -> str:
    """The region the key's clinic lives in: what follows the last `-`; a key without it is from before regions."""
    _, dash, tail = api_key.rpartition("-")
    return tail.lower() if dash and _SHARD.fullmatch(tail) else OLDEST_SHARD


def base_url(template: str, api_key: str) -> str:
    """The address of the key's clinic; `template` has `{shard}` where the region goes."""
    return template.replace("{shard}", shard_of(api_key)).rstrip("/")
