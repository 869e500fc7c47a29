"""The analytics service, put together."""

from analytics.entrypoints.consumers import consumers
from analytics.entrypoints.http import router
from chassis.service import assemble, serve
from chassis.settings import ServiceSettings


def main() -> None:
    """Serve until told to stop."""
    settings = ServiceSettings.load()
    serve(assemble(settings, consumers, router), settings)
