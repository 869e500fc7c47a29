"""What the runbooks say with RabbitMQ's own tools, to a node such as `routiq up` runs."""

import secrets
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aio_pika
import pytest
from tests.shell import BASH, blocks
from tests.watching.test_runbooks import ROOT

from routiq.ports import free_port
from routiq.processes import running
from routiq.servers import rabbitmq

QUEUE, IN_USE = "patients.sync.patients.synced.v0", "patients.sync.patients.synced.v1"
QUORUM: dict[str, Any] = {"x-queue-type": "quorum"}


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[rabbitmq.RabbitMQ]:
    """In the directory in which `routiq up` was said."""
    installed = rabbitmq.find()
    if installed is None:
        pytest.skip("rabbitmq-server is not installed")
    ports = free_port(), free_port(), free_port()
    server = rabbitmq.RabbitMQ(installed, tmp_path / ".routiq" / "rabbitmq", *ports, secrets.token_hex(16))
    (tmp_path / ".routiq").mkdir()
    async with running(*server.programs(), logs=tmp_path) as (_, broker):
        yield server
        await broker.kill()


def commands(page: str, tool: str) -> str:
    (block,) = (block for block in blocks(ROOT / "docs" / "runbooks" / f"{page}.md") if tool in block)
    return block


def say(node: rabbitmq.RabbitMQ, script: str) -> str:
    """As an operator would, in that directory."""
    script = script.replace("=EPMD_PORT", f"={node.epmd_port}")
    done = subprocess.run(
        [BASH, "-euc", script], cwd=node.home.parents[1], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, script + done.stdout + done.stderr
    return done.stdout


async def test_the_node_is_found_and_a_queue_that_nobody_names_any_more_is_deleted(node: rabbitmq.RabbitMQ) -> None:
    async with await aio_pika.connect(node.url) as connection:
        channel = await connection.channel()
        for name in (QUEUE, IN_USE):
            await channel.declare_queue(name, durable=True, arguments=QUORUM)
        away = commands("BrokerAway", "rabbitmq-diagnostics")
        assert "fully booted and running" in say(node, away)
        environment = "".join(away.splitlines(keepends=True)[:2])
        said = say(node, environment + commands("QueueWithoutConsumer", "rabbitmqctl").replace(" QUEUE", f" {QUEUE}"))
        assert f"{QUEUE}\t0\t0" in said
        await channel.declare_queue(IN_USE, passive=True)
        with pytest.raises(aio_pika.exceptions.ChannelNotFoundEntity):
            await channel.declare_queue(QUEUE, passive=True)
