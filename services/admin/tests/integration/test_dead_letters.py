"""Operators and dead letters, at both brokers over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID, uuid4

import aio_pika
import pytest
from services.admin.tests.conftest import Admin, admin_at, figures

from admin.adapters.dead_letter_reading import DELIVERIES
from admin.handlers import dead_letters_sent
from chassis.dead_letters import REDRIVE
from chassis.topology import dead

PATH = "/api/v1/admin/dead-letters"
QUEUE, OTHER = "admin.analytics.figures.counted.v1", "sync.patients.patient.erased.v1"
MOMENT = "2025-06-30T12:{:02}:00.000Z"


class Broker(Protocol):
    url: str
    kind: str


class Post:
    """What other processes do at the broker."""

    def __init__(self, admin: Admin, channel: aio_pika.abc.AbstractChannel) -> None:
        self.admin = admin
        self._channel = channel

    async def declare(self, *names: str, limit: int | None = None) -> None:
        limited: dict[str, Any] = {} if limit is None else {"x-delivery-limit": limit}
        for name in names:
            await self._channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum", **limited})

    async def bury(self, minute: int = 0, *, queue: str = QUEUE, body: bytes | None = None, also: Any = ()) -> UUID:
        """A letter as a service gives it up in that minute, with other headers if need be; its id."""
        letter_id = uuid4()
        moments = {"x-routiq-first-failed": MOMENT.format(0), "x-routiq-last-failed": MOMENT.format(minute)}
        headers = {"x-routiq-reason": "CheckViolationError", "x-routiq-attempts": 4, **moments, **dict(also)}
        content = body if body is not None else figures("org_a", 7, 3, event_id=letter_id).model_dump_json().encode()
        message = aio_pika.Message(content, headers=headers, message_id=str(letter_id))
        await self._channel.default_exchange.publish(message, dead(queue))
        return letter_id

    async def take(self, queue: str) -> list[aio_pika.abc.AbstractIncomingMessage]:
        """All that waits there, for good."""
        taken, waiting = [], await self._channel.get_queue(queue, ensure=False)
        while message := await waiting.get(fail=False):
            taken.append(message)
            await message.ack()
        return taken

    async def delete(self, *names: str) -> None:
        for name in names:
            await self._channel.queue_delete(name)

    async def listed(self, **query: Any) -> list[UUID]:
        """The ids on a page of the queue."""
        answer = (await self.admin.get(f"{PATH}/{QUEUE}", **query)).raise_for_status().json()
        return [UUID(letter["letter_id"]) for letter in answer["letters"]]

    async def redrive(self, **query: Any) -> Any:
        return (await self.admin.post(f"{PATH}/redrive", **query)).raise_for_status().json()

    async def states(self, redrive_id: str) -> dict[str, int]:
        answer = (await self.admin.get(f"{PATH}/redrives/{redrive_id}")).raise_for_status().json()
        return dict(answer["counts"])


@pytest.fixture
async def post(broker: Broker, new_database: Callable[[str], Awaitable[str]]) -> AsyncIterator[Post]:
    admin = admin_at(await new_database("admin"), broker.url)
    names = (QUEUE, dead(QUEUE), OTHER, dead(OTHER))
    async with await aio_pika.connect(broker.url) as connection:
        post = Post(admin, await connection.channel(publisher_confirms=True))
        await post.delete(*names)
        await post.declare(QUEUE, dead(QUEUE))
        yield post
        await post.delete(*names)
    await admin.database.close()


async def kinds(admin: Admin, organization_id: str) -> list[tuple[str, Any]]:
    answer = await admin.get(f"/api/v1/admin/audit/{organization_id}")
    return [(entry["kind"], entry["details"]) for entry in reversed(answer.json()["entries"])]


async def test_a_letter_is_told_by_ids_counts_and_reasons_and_nothing_else_leaves(post: Post) -> None:
    letter_id = await post.bury(5, also={"x-note": "Canary Header"})
    poison = b'{"organization_id": "Canary Org", "event_id": "Canary", "first_name": "Canary"}'
    await post.bury(6, body=poison, also={"x-routiq-reason": "Canary: a text"})
    survey = (await post.admin.get(PATH)).json()
    (mine,) = [one for one in survey["queues"] if one["queue"] == QUEUE]
    assert (mine["letters"], mine["oldest_at"]) == (2, MOMENT.format(5))
    page = await post.admin.get(f"{PATH}/{QUEUE}")
    first, second = page.json()["letters"]
    assert first == {
        "letter_id": str(letter_id),
        "queue": QUEUE,
        "event": "FiguresCounted",
        "organization_id": "org_a",
        "reason": "CheckViolationError",
        "attempts": 4,
        "first_failed_at": MOMENT.format(0),
        "last_failed_at": MOMENT.format(5),
        "size": first["size"],
    }
    assert (second["organization_id"], second["reason"]) == (None, "unknown")
    shown = [await post.admin.get(f"{PATH}/{QUEUE}/{one}") for one in (letter_id, second["letter_id"])]
    assert shown[0].json()["ids"] == {"event_id": str(letter_id)}
    assert "Canary" not in page.text + shown[0].text + shown[1].text
    assert (await post.admin.get(f"{PATH}/{QUEUE}/{uuid4()}")).status_code == 404


async def test_a_message_without_an_id_has_one_that_stays(post: Post, broker: Broker) -> None:
    async with await aio_pika.connect(broker.url) as connection:
        exchange = (await connection.channel()).default_exchange
        await exchange.publish(aio_pika.Message(b"\xff not JSON", message_id="Canary"), dead(QUEUE))
    (letter_id,) = await post.listed()
    assert await post.listed() == [letter_id]
    answer = await post.redrive(letter_id=str(letter_id))
    assert [letter["sent"] for letter in answer["letters"]] == ["redriven"]


async def test_looking_neither_loses_nor_moves_a_letter_however_often_though_the_broker_counts(post: Post) -> None:
    await post.delete(dead(QUEUE))
    await post.declare(dead(QUEUE), limit=20)
    letters = [await post.bury(minute) for minute in range(4)]
    for _ in range(45):
        assert await post.listed() == letters
    taken = await post.take(dead(QUEUE))
    assert {UUID(str(message.message_id)) for message in taken} == set(letters)
    assert all(message.headers["x-routiq-attempts"] == 4 for message in taken)


async def test_pages_go_through_all_letters_once_even_while_some_go(post: Post) -> None:
    letters = [await post.bury(minute) for minute in range(7)]
    page = (await post.admin.get(f"{PATH}/{QUEUE}", limit=3)).json()
    seen = [letter["letter_id"] for letter in page["letters"]]
    await post.redrive(letter_id=seen[0])
    while page["next_cursor"]:
        page = (await post.admin.get(f"{PATH}/{QUEUE}", limit=3, cursor=page["next_cursor"])).json()
        seen += [letter["letter_id"] for letter in page["letters"]]
    assert seen == [str(letter) for letter in letters]


async def test_a_redriven_letter_starts_anew_in_its_own_queue_and_is_gone_from_the_dead(post: Post) -> None:
    letter_id = await post.bury()
    answer = await post.redrive(queue=QUEUE)
    assert [(one["letter_id"], one["sent"]) for one in answer["letters"]] == [(str(letter_id), "redriven")]
    assert await post.states(answer["redrive_id"]) == {"waiting": 1}
    (message,) = await post.take(QUEUE)
    assert (message.message_id, set(message.headers) - {DELIVERIES}) == (str(letter_id), {REDRIVE})
    assert figures("org_a", 7, 3).model_validate_json(message.body).event_id == letter_id
    again = await post.redrive(queue=QUEUE, letter_id=str(letter_id))
    assert [one["sent"] for one in again["letters"]] == ["gone"]
    assert await post.take(QUEUE) == []


async def test_a_letter_whose_queue_does_not_exist_is_refused_and_stays(post: Post) -> None:
    letters = [await post.bury(minute) for minute in range(3)]
    await post.delete(QUEUE)
    answer = await post.redrive(queue=QUEUE)
    assert {(one["sent"], one["why"]) for one in answer["letters"]} == {("refused", "its queue does not exist")}
    assert not answer["more"]
    assert await post.states(answer["redrive_id"]) == {"refused": 3}
    assert await post.listed() == letters


async def test_a_redrive_of_everything_is_bounded_and_tells_whether_there_is_more(post: Post) -> None:
    await post.declare(OTHER, dead(OTHER))
    for minute in range(3):
        await post.bury(minute)
        await post.bury(minute, queue=OTHER)
    answers = [await post.redrive(limit=4), await post.redrive(limit=4), await post.redrive(limit=4)]
    assert [len(answer["letters"]) for answer in answers] == [4, 2, 0]
    assert [answer["more"] for answer in answers] == [True, False, False]
    assert [len(await post.take(queue)) for queue in (QUEUE, OTHER)] == [3, 3]


async def test_a_letter_too_deep_to_be_seen_is_not_said_to_be_gone(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters_sent, "DEPTH", 3)
    seen, *_, deep = [await post.bury(minute) for minute in range(5)]
    refusal = await post.admin.post(f"{PATH}/redrive", queue=QUEUE, letter_id=str(deep))
    assert refusal.status_code == 409
    answer = await post.redrive(queue=QUEUE, letter_id=str(seen))
    assert ([one["sent"] for one in answer["letters"]], answer["more"]) == (["redriven"], False)


async def test_what_was_given_up_after_a_moment_stays(post: Post) -> None:
    _, later = await post.bury(1), await post.bury(9)
    answer = await post.redrive(queue=QUEUE, before=MOMENT.format(5))
    assert (len(answer["letters"]), answer["more"]) == (1, False)
    assert await post.listed() == [later]


async def test_two_operators_at_once_neither_lose_nor_double_a_letter(post: Post) -> None:
    letters = {str(await post.bury(minute)) for minute in range(30)}
    redrive_one, redrive_two, *looks = await asyncio.gather(
        post.redrive(queue=QUEUE, limit=20), post.redrive(queue=QUEUE, limit=20), *(post.listed() for _ in range(3))
    )
    sent = [one["letter_id"] for one in redrive_one["letters"] + redrive_two["letters"]]
    assert len(sent) == len(set(sent)) == 30
    assert all(len(seen) in (30, 10, 0) for seen in looks)
    assert {message.message_id for message in await post.take(QUEUE)} == letters
    assert await post.take(dead(QUEUE)) == []


async def test_redrives_and_drops_are_on_record_of_the_clinic_and_of_the_operators(post: Post) -> None:
    sent, dropped = await post.bury(1), await post.bury(2)
    unreadable = await post.bury(3, body=b"?")
    redrive = await post.redrive(letter_id=str(sent))
    path = f"{PATH}/{QUEUE}/drop"
    answer = (await post.admin.post(path, reason="duplicate", letter_id=str(dropped))).json()
    assert answer["dropped"] == [str(dropped)]
    rest = (await post.admin.post(path, reason="unreadable")).json()
    assert (rest["dropped"], rest["more"]) == ([str(unreadable)], False)
    told = {"queue": QUEUE, "failed_for": "CheckViolationError"}
    assert await kinds(post.admin, "org_a") == [
        ("letter.redriven", {**told, "letter_id": str(sent), "redrive_id": redrive["redrive_id"]}),
        ("letter.dropped", {**told, "letter_id": str(dropped), "reason": "duplicate"}),
    ]
    assert [kind for kind, _ in await kinds(post.admin, "org_platform")] == ["letter.redriven", *["letter.dropped"] * 3]
    assert await post.listed() == []


@pytest.mark.parametrize("query", [{}, {"reason": "Canary"}])
async def test_nothing_is_dropped_without_a_reason_of_the_list(post: Post, query: dict[str, Any]) -> None:
    letter_id = await post.bury()
    refusal = await post.admin.post(f"{PATH}/{QUEUE}/drop", **query)
    assert refusal.status_code == 400
    assert "Canary" not in refusal.text
    assert await post.listed() == [letter_id]


async def test_what_became_of_each_letter_is_told_by_the_service_that_handled_it(post: Post) -> None:
    app = post.admin.app
    await post.delete(QUEUE)  # the service declares it in its own way
    async with app.router.lifespan_context(app):
        async with asyncio.timeout(60):
            while not (await post.admin.get("/health/ready")).is_success:
                await asyncio.sleep(0.1)
        good, bad = await post.bury(1), await post.bury(2, body=b'{"first_name": "Canary"}')
        answer = await post.redrive(queue=QUEUE)
        async with asyncio.timeout(30):
            while await post.states(answer["redrive_id"]) != {"applied": 1, "dead": 1}:
                await asyncio.sleep(0.1)
        progress = (await post.admin.get(f"{PATH}/redrives/{answer['redrive_id']}")).json()
        ends = {one["letter_id"]: (one["state"], one["reason"]) for one in progress["letters"]}
        assert ends == {str(good): ("applied", None), str(bad): ("dead", "ValidationError")}
        assert await post.listed() == [bad]


async def test_a_letter_that_the_broker_took_away_again_is_noted_when_it_is_met(post: Post) -> None:
    await post.bury()
    answer = await post.redrive(queue=QUEUE)
    (message,) = await post.take(QUEUE)
    await post.bury(9, also={REDRIVE: message.headers[REDRIVE], "x-routiq-reason": "delivery_limit"})
    await post.listed()
    assert await post.states(answer["redrive_id"]) == {"dead": 1}


async def test_dead_letters_are_for_operators_and_for_queues_of_ours(post: Post) -> None:
    assert (await post.admin.get(PATH, operator=False)).status_code == 403
    assert (await post.admin.post(f"{PATH}/redrive", operator=False)).status_code == 403
    assert (await post.admin.get(f"{PATH}/retry.1s")).status_code == 404
    assert (await post.admin.post(f"{PATH}/redrive", queue="retry.1s")).status_code == 404
    assert (await post.admin.get(f"{PATH}/redrives/{uuid4()}")).status_code == 404


async def test_a_broker_that_is_away_is_said_to_be(admin: Admin) -> None:
    answer = await admin.get(PATH)
    assert (answer.status_code, answer.json()["error"]) == (503, "Service unavailable")
