"""What all exchanges of a gateway share."""

from gateway.domain.proxies import Proxies
from gateway.entrypoints.answer_head import ServerLines
from gateway.entrypoints.cors import Origins


class Surroundings:
    """Who may call from where, and how long a client may take nothing of its answer."""

    def __init__(self, origins: Origins, proxies: Proxies, client_seconds: float) -> None:
        self.origins, self.proxies, self.client_seconds = origins, proxies, client_seconds
        self.server_lines = ServerLines()
