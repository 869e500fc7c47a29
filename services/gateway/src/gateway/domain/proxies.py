"""Who asked, when the connection comes from a proxy in front: only what a trusted one says is believed."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import NamedTuple


class Origin(NamedTuple):
    """The request as the client made it."""

    client: str
    scheme: str
    host: bytes


class Proxies:
    """The proxies in front, by address or network."""

    def __init__(self, trusted: Iterable[str]) -> None:
        networks = [ip_network(network) for network in trusted]
        self._any = bool(networks)

        @lru_cache(maxsize=4096)
        def trusts(address: str) -> bool:
            try:
                found = ip_address(address)
            except ValueError:
                return False
            return any(found in network for network in networks)

        self._trusts = trusts

    def origin(self, peer: str, scheme: str, headers: Mapping[bytes, bytes]) -> Origin:
        """Whom the chain of trusted proxies, read from our end, names; without one, whoever is connected."""
        host = headers.get(b"host", b"")
        if not self._any or not self._trusts(peer):
            return Origin(peer, scheme, host)
        said = headers.get(b"x-forwarded-proto", b"").decode("latin-1")
        return Origin(
            self._client(peer, headers.get(b"x-forwarded-for", b"").decode("latin-1")),
            said if said in ("http", "https") else scheme,
            headers.get(b"x-forwarded-host", host),
        )

    def _client(self, peer: str, chain: str) -> str:
        """The last address that is not a trusted proxy's; what is no address ends the walk."""
        client = peer
        for said in reversed(chain.split(",")):
            address = said.strip()
            if not _is_address(address):
                break
            client = address
            if not self._trusts(address):
                break
        return client


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
