"""HAProxy before the replicas of every service, as Traefik or a Kubernetes service stands there."""

import csv
import io
import os
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import httpx
import pytest

from routiq.ports import LOOPBACK
from routiq.probes import port_listens
from routiq.processes import Program

LISTEN = """
listen {service}
    bind {loopback}:{port}
    option httpchk GET /health/ready
    http-request disable-l7-retry if METH_POST
    default-server inter 300ms fall 2 rise 1
{servers}
"""
STATISTICS = """
listen statistics
    bind {loopback}:{port}
    stats enable
    stats uri /
"""
# A request that no replica has begun to answer may go to the next one, unless it changes something.
GENERAL = """
global
    maxconn 1000
defaults
    mode http
    timeout connect 2s
    timeout client 120s
    timeout server 120s
    timeout check 3s
    retries 3
    option redispatch 1
    retry-on conn-failure empty-response
"""


def balancer(home: Path, ports: Mapping[str, int], replicas: Mapping[str, int], port: int) -> Program:
    """`ports` has each service's address, `replicas` those behind it (`sync-1`); it tells of itself at `port`."""
    services = dict.fromkeys(replica.partition("-")[0] for replica in replicas)
    configuration = home / "haproxy.cfg"
    parts = [_listen(one, ports[one], replicas) for one in services]
    configuration.write_text("".join([GENERAL, STATISTICS.format(loopback=LOOPBACK, port=port), *parts]))
    return Program(
        name="haproxy",
        command=(haproxy(), "-db", "-f", str(configuration)),
        environment={},
        ready=partial(port_listens, LOOPBACK, ports["gateway"]),
    )


def haproxy() -> str:
    """The installed one; without it the test is left out."""
    found = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        assert os.environ.get("ROUTIQ_REQUIRE_HAPROXY") != "1", "haproxy is required, and not installed"
        pytest.skip("haproxy is not installed")
    return found


async def takes_in(port: int, replica: str) -> bool:
    """Whether the balancer at `port` sends requests to that replica."""
    async with httpx.AsyncClient(trust_env=False) as client:
        told = (await client.get(f"http://{LOOPBACK}:{port}/;csv")).text
    rows = csv.DictReader(io.StringIO(told.removeprefix("# ")))
    return any(row["svname"] == replica and row["status"] == "UP" for row in rows)


def _listen(service: str, port: int, replicas: Mapping[str, int]) -> str:
    mine = {name: address for name, address in replicas.items() if name.partition("-")[0] == service}
    servers = "\n".join(f"    server {name} {LOOPBACK}:{address} check" for name, address in mine.items())
    return LISTEN.format(service=service, loopback=LOOPBACK, port=port, servers=servers)
