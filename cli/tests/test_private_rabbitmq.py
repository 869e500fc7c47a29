"""What only a private node promises; how brokers behave is tested elsewhere, on both."""

from contextlib import AsyncExitStack
from pathlib import Path

import aio_pika
import pytest

from routiq.ports import free_port
from routiq.processes import running
from routiq.servers import rabbitmq
from routiq.servers.rabbitmq import RabbitMQ


def node(home: Path) -> RabbitMQ:
    installed = rabbitmq.find()
    if installed is None:
        pytest.skip("rabbitmq-server is not installed")
    return RabbitMQ(installed, home, free_port(), free_port(), free_port(), "secret")


async def test_two_checkouts_have_two_brokers(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        urls = []
        for name in ("one", "two"):
            place = tmp_path / name
            place.mkdir()
            broker = node(place / "rabbitmq")
            await stack.enter_async_context(running(*broker.programs(), logs=place))
            urls.append(broker.url)
        async with await aio_pika.connect(urls[0]) as first, await aio_pika.connect(urls[1]) as second:
            await (await first.channel()).declare_queue("only-here")
            with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
                await (await second.channel()).declare_queue("only-here", passive=True)
