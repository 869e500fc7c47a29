"""Two synthetic clinics of the Cliniko emulator, connected and synced like any other."""

import asyncio
from collections.abc import Iterable

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from routiq.client import Answer, Gateway
from routiq.console import out
from routiq.failures import ReportedError
from routiq.state import Record

CLINICS = {"org_demo_harbour": "MS0-demo-harbour-au4", "org_demo_ridge": "MS0-demo-ridge-uk1"}
COMPREHENSIVE = "comprehensive"


def has_demo(record: Record) -> bool:
    return record.cliniko_url is not None and record.clerk_url is not None


async def connect(record: Record) -> None:
    for organization, key in CLINICS.items():
        async with Gateway.open(record, organization) as gateway:
            await gateway.connect(key)


async def sync(record: Record, organizations: Iterable[str], mode: str = COMPREHENSIVE) -> None:
    """All at once, each with a bar; raises when one does not complete."""
    columns = (TextColumn("{task.fields[organization]}"), BarColumn(), TextColumn("{task.percentage:>5.1f} %"))
    with Progress(
        *columns,
        TextColumn("{task.fields[records]} records"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[step]}"),
        console=out,
    ) as progress:
        await asyncio.gather(*(_sync_one(record, organization, mode, progress) for organization in organizations))


async def start(record: Record, organizations: Iterable[str], mode: str = COMPREHENSIVE) -> None:
    """Without waiting; one line for each, with the id of its run."""
    for organization in organizations:
        async with Gateway.open(record, organization) as gateway:
            out.print(f"{organization} {await gateway.start_sync(mode)}", soft_wrap=True)


async def _sync_one(record: Record, organization: str, mode: str, progress: Progress) -> None:
    bar = progress.add_task("", total=100, organization=organization, records="0", step="starting")
    async with Gateway.open(record, organization) as gateway:
        sync_id = await gateway.start_sync(mode)
        async for seen in gateway.progress(sync_id):
            progress.update(
                bar,
                completed=seen["progress_percentage"],
                records=f"{seen['records_processed']}/{seen['records_total']}",
                step=seen["current_step"],
            )
    if seen["status"] != "completed":
        raise ReportedError(f"The sync of {organization} ended as {seen['status']} ({seen['current_step']}).")


async def dashboards(record: Record) -> dict[str, Answer]:
    answers = {}
    for organization in CLINICS:
        async with Gateway.open(record, organization, role="member") as gateway:
            answers[organization] = await gateway.dashboard()
    return answers
