"""Clients that break the rules or fall silent lose their connection; nobody else notices."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aio_pika
import pytest
from pamqp import base, commands, frame, header

GREETING = b"AMQP\x00\x00\x09\x01"
CLOSE = b"\x00\x0a\x00\x32"
PUBLISH = frame.marshal(commands.Basic.Publish(routing_key="nowhere"), 1)
OPEN_CHANNEL = frame.marshal(commands.Channel.Open(), 1)


class BrokerUnderTest(Protocol):
    @property
    def url(self) -> str: ...


class RawClient:
    """A client that sends whatever bytes it is told to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, login: str) -> None:
        self._reader = reader
        self._writer = writer
        self._login = login

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def open_connection(self, heartbeat: int = 0) -> None:
        await self.send(GREETING)
        await self._answer(b"\x00\x0a\x00\x0a", commands.Connection.StartOk({}, "PLAIN", self._login, "en_US"))
        await self._answer(b"\x00\x0a\x00\x1e", commands.Connection.TuneOk(2047, 131_072, heartbeat))
        await self.send(frame.marshal(commands.Connection.Open("/"), 0))
        await self._read_until(b"\x00\x0a\x00\x29")

    async def is_sent_away(self) -> bool:
        """Told to close, or cut off."""
        async with asyncio.timeout(15):
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._read_until(CLOSE)
            return True

    async def _answer(self, question: bytes, method: base.Frame) -> None:
        await self._read_until(question)
        await self.send(frame.marshal(method, 0))

    async def _read_until(self, method: bytes) -> None:
        await self._reader.readuntil(method)


@pytest.fixture
async def raw_client(broker: BrokerUnderTest) -> AsyncIterator[RawClient]:
    address = urlsplit(broker.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    yield RawClient(reader, writer, f"\0{unquote(address.username or '')}\0{unquote(address.password or '')}")
    writer.close()


@pytest.mark.parametrize("nonsense", [b"GET / HTTP/1.1\r\n\r\n", b"AMQP\x00\x01\x00\x00", bytes(64)])
async def test_a_client_that_does_not_greet_is_told_the_protocol_and_sent_away(
    raw_client: RawClient, nonsense: bytes
) -> None:
    await raw_client.send(nonsense)
    assert await raw_client.is_sent_away()


@pytest.mark.parametrize(
    "nonsense",
    [
        pytest.param(random.Random(1).randbytes(300), id="random bytes"),
        pytest.param(b"\x01\x00\x00\xff\xff\xff\xff" + bytes(32), id="a frame of four gigabytes"),
        pytest.param(b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x32\x00", id="a frame without its end"),
        pytest.param(b"\x01\x00\x00\x00\x00\x00\x04\x77\x77\x77\x77\xce", id="an unknown method"),
        pytest.param(b"\x01\x00\x00\x00\x00\x00\x06\x00\x0a\x00\x28\xff/\xce", id="a method cut short"),
        pytest.param(frame.marshal(commands.Queue.Declare(), 7), id="a channel never opened"),
        pytest.param(OPEN_CHANNEL + OPEN_CHANNEL, id="a channel opened twice"),
        pytest.param(
            OPEN_CHANNEL + frame.marshal(header.ContentHeader(body_size=3), 1), id="content without a publish"
        ),
        pytest.param(OPEN_CHANNEL + PUBLISH + PUBLISH, id="a publish inside a publish"),
        pytest.param(
            OPEN_CHANNEL
            + PUBLISH
            + b"\x02\x00\x01\x00\x00\x00\x12"
            + bytes([0, 60, 0, 0, *bytes(8), 0x20, 0])
            + b"\x00\x00\xff\xff\xce",
            id="a header table longer than its frame",
        ),
        pytest.param(frame.marshal(commands.Tx.Select(), 0), id="a channel's method on the connection"),
    ],
)
async def test_bytes_that_make_no_sense_end_their_connection_and_no_other(
    broker: BrokerUnderTest, raw_client: RawClient, nonsense: bytes
) -> None:
    async with await aio_pika.connect(broker.url) as bystander:
        await raw_client.open_connection()
        await raw_client.send(nonsense)
        assert await raw_client.is_sent_away()
        await (await bystander.channel()).declare_queue(exclusive=True)


async def test_a_silent_client_is_cut_off(raw_client: RawClient) -> None:
    await raw_client.open_connection(heartbeat=1)
    assert await raw_client.is_sent_away()


async def test_an_idle_client_that_sends_heartbeats_stays(broker: BrokerUnderTest) -> None:
    async with await aio_pika.connect(f"{broker.url}?heartbeat=1") as connection:
        await asyncio.sleep(4)
        await (await connection.channel()).declare_queue(exclusive=True)


async def test_a_client_that_says_goodbye_in_the_middle_of_a_message_disturbs_nobody(
    broker: BrokerUnderTest, raw_client: RawClient
) -> None:
    await raw_client.open_connection()
    await raw_client.send(OPEN_CHANNEL + PUBLISH + frame.marshal(commands.Connection.Close(200, "", 0, 0), 0))
    async with await aio_pika.connect(broker.url) as bystander:
        await (await bystander.channel()).declare_queue(exclusive=True)
