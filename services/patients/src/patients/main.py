"""The patients service: records of every clinic, and the lists made of them."""

import asyncio
import sys

from chassis.service import assemble, serve
from chassis.settings import ServiceSettings
from patients.entrypoints.consumers import consumers
from patients.entrypoints.erasing import erase_again
from patients.entrypoints.http import router
from patients.entrypoints.tidying import keep_tidy


def main() -> None:
    """`python -m patients` serves; `erase-again` erases whom its standard input names: see docs/recovery.md."""
    settings = ServiceSettings.load()
    if sys.argv[1:] == ["erase-again"]:
        asyncio.run(erase_again(settings, sys.stdin))
        return
    serve(assemble(settings, consumers, router, work={"tidying": keep_tidy}), settings)
