import asyncio
import hashlib
import os
from collections.abc import Awaitable, Callable

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import DeliveryError, PublishError
from aiormq.exceptions import ChannelPreconditionFailed
from pamqp import commands

NewQueue = Callable[..., Awaitable[AbstractQueue]]
NewExchange = Callable[..., Awaitable[AbstractExchange]]
Put = Callable[..., Awaitable[None]]
Arriving = Callable[[AbstractQueue], Awaitable[AbstractIncomingMessage]]


async def test_a_mandatory_message_without_a_queue_comes_back(
    new_exchange: NewExchange, channel: AbstractChannel
) -> None:
    exchange = await new_exchange("topic")
    with pytest.raises(PublishError) as returned:
        await exchange.publish(aio_pika.Message(b"nobody"), "no.such", mandatory=True)
    assert isinstance(returned.value.frame, commands.Basic.Return)
    assert (returned.value.frame.reply_code, returned.value.frame.routing_key) == (312, "no.such")
    assert not channel.is_closed


async def test_a_message_that_need_not_be_routed_is_confirmed_and_dropped(new_exchange: NewExchange) -> None:
    await (await new_exchange("topic")).publish(aio_pika.Message(b"nobody"), "no.such", mandatory=False)


async def test_every_one_of_many_publishes_in_flight_is_confirmed(
    new_queue: NewQueue, put: Put, arriving: Arriving
) -> None:
    queue = await new_queue()
    async with asyncio.timeout(30):
        await asyncio.gather(*(put(queue, b"%d" % number) for number in range(300)))
    assert (await arriving(queue)).message_count == 299


@pytest.mark.parametrize("size", [0, 1, 131_064, 131_065, 1_000_000])
async def test_a_body_of_any_size_arrives_whole(new_queue: NewQueue, put: Put, arriving: Arriving, size: int) -> None:
    queue, body = await new_queue(), os.urandom(size)
    await put(queue, body)
    received = (await arriving(queue)).body
    assert (len(received), hashlib.sha256(received).digest()) == (size, hashlib.sha256(body).digest())


async def test_a_full_classic_queue_that_rejects_publishes_says_so(
    new_queue: NewQueue, put: Put, arriving: Arriving
) -> None:
    queue = await new_queue(kind="classic", x_max_length=2, x_overflow="reject-publish")
    for body in (b"0", b"1"):
        await put(queue, body)
    with pytest.raises(DeliveryError):
        await put(queue, b"2")
    assert (await arriving(queue)).body == b"0"
    await put(queue, b"3")


async def test_a_full_quorum_queue_notices_one_message_late(new_queue: NewQueue, put: Put) -> None:
    queue = await new_queue(x_max_length=2, x_overflow="reject-publish")
    for body in (b"0", b"1", b"2"):
        await put(queue, body)
        await asyncio.sleep(0.2)  # RabbitMQ tells its publishers a moment later
    with pytest.raises(DeliveryError):
        await put(queue, b"3")


async def test_a_full_queue_drops_its_oldest_message(new_queue: NewQueue, put: Put, arriving: Arriving) -> None:
    queue = await new_queue(x_max_length=2)
    for body in (b"0", b"1", b"2"):
        await put(queue, body)
    assert [(await arriving(queue)).body for _ in range(2)] == [b"1", b"2"]


@pytest.mark.parametrize("expiration", ["soon", "-1"])
async def test_an_expiration_that_is_no_number_closes_the_channel(
    connection: AbstractConnection, new_queue: NewQueue, expiration: str
) -> None:
    queue = await new_queue()
    underlay = await (await connection.channel()).get_underlay_channel()
    with pytest.raises(ChannelPreconditionFailed, match="invalid expiration"):
        await underlay.basic_publish(
            b"", routing_key=queue.name, properties=commands.Basic.Properties(expiration=expiration)
        )
