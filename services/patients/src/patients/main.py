"""The patients service: records of every clinic, and the lists made of them."""

from chassis.service import assemble, serve
from chassis.settings import ServiceSettings
from patients.entrypoints.consumers import consumers
from patients.entrypoints.http import router


def main() -> None:
    settings = ServiceSettings.load()
    serve(assemble(settings, consumers, router), settings)
