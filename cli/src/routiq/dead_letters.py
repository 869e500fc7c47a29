"""Look into the dead letters through the gateway, send them on their way again, or drop them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from routiq import dead_letters_tables as tables
from routiq.client import Answer, Gateway
from routiq.console import out
from routiq.failures import ReportedError
from routiq.state import Record

PATH = "/api/v1/admin/dead-letters"
PAGE, AT_ONCE = 200, 500
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
ON_THEIR_WAY = ("sending", "waiting")


async def show_queues(record: Record) -> None:
    """Every queue that holds any."""
    async with _operator(record) as gateway:
        survey = await gateway.call("GET", PATH)
    out.print(tables.queues(survey) if survey["queues"] else "There are no dead letters.")


async def show_letters(record: Record, queue: str, limit: int) -> None:
    """Those of a queue that were given up first."""
    letters: list[Answer] = []
    async with _operator(record) as gateway:
        async for page in _pages(gateway, queue):
            letters += page["letters"]
            if len(letters) >= limit:
                break
    out.print(tables.letters(queue, letters[:limit], page["total"]) if letters else "There are none in this queue.")


async def show(record: Record, queue: str, letter: str) -> None:
    """All that may be said of one."""
    async with _operator(record) as gateway:
        out.print(tables.letter(await gateway.call("GET", f"{PATH}/{queue}/{letter}")))


async def count(record: Record, queue: str) -> int:
    """How many lie there."""
    async with _operator(record) as gateway:
        return await _count(gateway, queue)


async def redrive(record: Record, queue: str | None, letter: str | None, wait: int) -> None:
    """Send and follow them, with bars. Raises ReportedError when some are refused, or dead again."""
    given = {"queue": queue, "letter_id": letter}
    async with _operator(record) as gateway:
        answers = [answer async for answer in _repeated(gateway, "Redriving", f"{PATH}/redrive", given, "letters")]
        sent = [one for answer in answers for one in answer["letters"]]
        redrives = [
            answer["redrive_id"] for answer in answers if any(one["sent"] != "gone" for one in answer["letters"])
        ]
        states = await _followed(gateway, redrives, wait)
    _report(sent, states)


async def drop(record: Record, queue: str, letter: str | None, reason: str) -> None:
    """Remove them for good, with a bar."""
    given = {"letter_id": letter, "reason": reason}
    async with _operator(record) as gateway:
        answers = [a async for a in _repeated(gateway, "Dropping", f"{PATH}/{queue}/drop", given, "dropped", queue)]
    dropped = sum(len(answer["dropped"]) for answer in answers)
    out.print(f"{dropped} dropped." if dropped else "Nothing was dropped: it is gone already.")


def _operator(record: Record) -> AbstractAsyncContextManager[Gateway]:
    return Gateway.open(record, record.platform_organization)


async def _pages(gateway: Gateway, queue: str) -> AsyncIterator[Answer]:
    cursor: str | None = None
    while True:
        where = {"limit": PAGE, **({"cursor": cursor} if cursor else {})}
        page = await gateway.call("GET", f"{PATH}/{queue}", params=where)
        yield page
        cursor = page["next_cursor"]
        if cursor is None:
            return


async def _count(gateway: Gateway, queue: str | None) -> int:
    survey = await gateway.call("GET", PATH)
    return sum(one["letters"] for one in survey["queues"] if queue in (None, one["queue"]))


async def _repeated(
    gateway: Gateway, title: str, path: str, given: dict[str, str | None], done: str, queue: str | None = None
) -> AsyncIterator[Answer]:
    """Until nothing is left that lay there at first: what is given up again meanwhile is not met twice."""
    total = 1 if given.get("letter_id") else await _count(gateway, queue or given.get("queue"))
    parameters = {name: value for name, value in {**given, "limit": str(AT_ONCE)}.items() if value is not None}
    with _progress() as progress:
        bar = progress.add_task(title, total=total)
        while True:
            answer = await gateway.call("POST", path, params=parameters)
            yield answer
            progress.advance(bar, len(answer[done]))
            parameters.setdefault("before", answer["timestamp"])
            if not (answer["more"] and answer[done]):
                break
    if answer["more"]:
        out.print("There are more behind these; say it again.")


async def _followed(gateway: Gateway, redrives: list[str], seconds: int) -> list[Answer]:
    """How each letter stands, once all have come to an end or the time is up."""
    deadline, pause = asyncio.get_running_loop().time() + seconds, FIRST_PAUSE_SECONDS
    known: dict[str, list[Answer]] = {}
    with _progress() as progress:
        bar = progress.add_task("Following", total=None)
        while True:
            for redrive_id in (one for one in redrives if _moving(known.get(one, [{"state": "sending"}]))):
                known[redrive_id] = (await gateway.call("GET", f"{PATH}/redrives/{redrive_id}"))["letters"]
            states = [state for letters in known.values() for state in letters]
            progress.update(bar, total=len(states), completed=len(states) - _moving(states))
            if not _moving(states) or asyncio.get_running_loop().time() + pause > deadline:
                return states
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _moving(states: Iterable[Answer]) -> int:
    return sum(state["state"] in ON_THEIR_WAY for state in states)


def _report(sent: list[Answer], states: list[Answer]) -> None:
    gone = [one for one in sent if one["sent"] == "gone"]
    if not states:
        out.print("It is gone already." if gone else "There was nothing to redrive.")
        return
    out.print(tables.redriven(states))
    if moving := _moving(states):
        out.print(f"{moving} are still on their way; `routiq dead-letters list` shows those that come back.")
    failed = sum(state["state"] in ("dead", "refused") for state in states)
    if failed:
        raise ReportedError(f"{failed} of {len(states)} are dead letters still, or again.")


def _progress() -> Progress:
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=out)
