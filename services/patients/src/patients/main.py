"""The patients service: records of every clinic, and the lists made of them."""

from chassis.service import assemble, serve
from chassis.settings import ServiceSettings
from patients.entrypoints.consumers import consumers
from patients.entrypoints.http import router
from patients.entrypoints.tidying import keep_tidy


def main() -> None:
    settings = ServiceSettings.load()
    serve(assemble(settings, consumers, router, work={"tidying": keep_tidy}), settings)
