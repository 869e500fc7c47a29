from collections.abc import Awaitable, Callable

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage, AbstractQueue, HeadersType
from aio_pika.exceptions import ChannelNotFoundEntity, PublishError

NewQueue = Callable[..., Awaitable[AbstractQueue]]
NewExchange = Callable[..., Awaitable[AbstractExchange]]
Arriving = Callable[[AbstractQueue], Awaitable[AbstractIncomingMessage]]

KEYS = ("", "a", "a.b", "a.b.c", ".", "a..b", "b.a")


async def is_routed(exchange: AbstractExchange, routing_key: str, headers: HeadersType | None = None) -> bool:
    try:
        await exchange.publish(aio_pika.Message(b"", headers=headers), routing_key, mandatory=True)
    except PublishError:
        return False
    return True


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("#", KEYS),
        ("*", ("a",)),
        ("a.#", ("a", "a.b", "a.b.c", "a..b")),
        ("#.b", ("a.b", "a..b")),
        ("a.*", ("a.b",)),
        ("*.#", ("a", "a.b", "a.b.c", ".", "a..b", "b.a")),
        ("", ("",)),
        ("a.#.b", ("a.b", "a..b")),
        ("#.#", KEYS),
        ("*.*", ("a.b", ".", "b.a")),
        ("a.b.c", ("a.b.c",)),
    ],
)
async def test_topic_patterns_match_by_words(
    new_queue: NewQueue, new_exchange: NewExchange, pattern: str, matching: tuple[str, ...]
) -> None:
    exchange, queue = await new_exchange("topic"), await new_queue(kind="classic")
    await queue.bind(exchange, pattern)
    assert tuple([key for key in KEYS if await is_routed(exchange, key)]) == matching


async def test_a_direct_exchange_wants_the_very_key(new_queue: NewQueue, new_exchange: NewExchange) -> None:
    exchange, queue = await new_exchange("direct"), await new_queue(kind="classic")
    await queue.bind(exchange, "a.*")
    assert [await is_routed(exchange, key) for key in ("a.*", "a.b")] == [True, False]


async def test_a_fanout_exchange_takes_any_key_and_reaches_every_queue(
    new_queue: NewQueue, new_exchange: NewExchange, arriving: Arriving
) -> None:
    exchange, queues = await new_exchange("fanout"), [await new_queue(kind="classic") for _ in range(2)]
    for queue in queues:
        await queue.bind(exchange, "whatever")
    await exchange.publish(aio_pika.Message(b"to all"), "anything")
    assert [(await arriving(queue)).body for queue in queues] == [b"to all", b"to all"]


@pytest.mark.parametrize(
    ("arguments", "matching"),
    [
        ({"x-match": "all", "a": 1, "b": "z"}, [False, False, True, False, False]),
        ({"x-match": "any", "a": 1, "b": "z"}, [True, False, True, False, True]),
        ({"a": 1}, [True, False, True, False, False]),
        ({"a": None}, [True, True, True, True, False]),
        ({}, [True, True, True, True, True]),
        ({"x-match": "any"}, [False, False, False, False, False]),
        ({"x-match": "any-with-x", "x-c": 1}, [False, False, False, False, True]),
        ({"x-match": "all", "x-c": 1}, [True, True, True, True, True]),
    ],
)
async def test_a_headers_exchange_compares_values_and_their_types(
    new_queue: NewQueue, new_exchange: NewExchange, arguments: HeadersType, matching: list[bool]
) -> None:
    exchange, queue = await new_exchange("headers"), await new_queue(kind="classic")
    await queue.bind(exchange, "", arguments=arguments)
    published: list[HeadersType] = [{"a": 1}, {"a": 2}, {"a": 1, "b": "z"}, {"a": True}, {"b": "z", "x-c": 1}]
    assert [await is_routed(exchange, "", headers) for headers in published] == matching


async def test_the_default_exchange_reaches_a_queue_by_its_name(
    new_queue: NewQueue, channel: AbstractChannel, arriving: Arriving
) -> None:
    queue = await new_queue()
    await channel.default_exchange.publish(aio_pika.Message(b"by name"), queue.name)
    message = await arriving(queue)
    assert (message.body, message.exchange, message.routing_key) == (b"by name", "", queue.name)


async def test_a_queue_bound_twice_gets_a_message_once(
    new_queue: NewQueue, new_exchange: NewExchange, arriving: Arriving
) -> None:
    exchange, queue = await new_exchange("topic"), await new_queue(kind="classic")
    for pattern in ("a.*", "*.b"):
        await queue.bind(exchange, pattern)
    await exchange.publish(aio_pika.Message(b"once"), "a.b")
    assert (await arriving(queue)).message_count == 0


async def test_an_unbound_queue_gets_nothing_more(new_queue: NewQueue, new_exchange: NewExchange) -> None:
    exchange, queue = await new_exchange("topic"), await new_queue(kind="classic")
    for pattern in ("a.*", "*.b"):
        await queue.bind(exchange, pattern)
    await queue.unbind(exchange, "a.*")
    assert [await is_routed(exchange, key) for key in ("a.b", "a.c")] == [True, False]


async def test_unbinding_what_was_never_bound_succeeds(new_queue: NewQueue, new_exchange: NewExchange) -> None:
    await (await new_queue()).unbind(await new_exchange("topic"), "never")


async def test_publishing_to_an_unknown_exchange_closes_the_channel(channel: AbstractChannel) -> None:
    exchange = await channel.get_exchange("test.nowhere", ensure=False)
    with pytest.raises(ChannelNotFoundEntity, match=r"no exchange 'test\.nowhere'"):
        await exchange.publish(aio_pika.Message(b""), "key")
    assert channel.is_closed
