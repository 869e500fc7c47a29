"""Connect the two demo clinics, sync them, and print a token for each: `docker compose logs clinics` shows them."""

import asyncio
import os
from collections.abc import Mapping

from routiq import demo
from routiq.client import issue_token
from routiq.console import out
from routiq.pids import Pid
from routiq.state import Record


async def main(environment: Mapping[str, str]) -> None:
    """Safe to repeat; raises when a clinic cannot be connected or its sync does not complete."""
    record = Record(
        supervisor=Pid.of(os.getpid()),
        gateway_url=environment["GATEWAY_URL"],
        cliniko_url=environment["CLINIKO_URL"],
        clerk_url=environment["CLERK_URL"],
    )
    await demo.connect(record)
    await demo.sync(record, demo.CLINICS)
    for organization in demo.CLINICS:
        out.print(organization, await issue_token(record, organization, "admin"), soft_wrap=True)


if __name__ == "__main__":
    asyncio.run(main(os.environ))
