"""`make bench-gateway`: what the gateway costs, beside a bare server, a plain proxy and HAProxy, in one run.

The server under test has core 0 for itself; wrk, the service behind and Redis share core 1. Every variant answers the
same 2 kB. Tokens of many users rotate, so that no budget of 1000 requests is spent. Trust ratios, not absolute numbers.

HAProxy runs twice: `haproxy-jwt` does what the chain does as far as it can (all claims, the path's organization, budget
headers, a signed identity, request id, forwarded and security headers, a line in the log); `haproxy-least` only checks
the signature, counts and proxies.
"""

import asyncio
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rich.console import Console
from rich.progress import track
from rich.table import Table

from haproxy_configurations import HAPROXY_ALIKE, HAPROXY_LEAST
from measures import cpu_seconds
from routiq.ports import LOOPBACK, free_port
from routiq.probes import port_listens
from routiq.processes import Program, running

ROUNDS, SECONDS, WARM_UP_SECONDS, CONNECTIONS, USERS = 5, 3, 1, 64, 600
UNDER_TEST, BESIDE = "0", "1"
PATH = "/api/v1/patients/org_bench/patients"
HERE = Path(__file__).parent
WRK = """
local tokens = {{}}
for line in io.lines("{tokens}") do tokens[#tokens + 1] = "Bearer " .. line end
local at = 0
request = function()
    at = at % #tokens + 1
    wrk.headers["Authorization"] = tokens[at]
    return wrk.format("GET", "{path}")
end
"""


@dataclass(frozen=True)
class Measured:
    """One variant in one round; latencies in milliseconds, CPU of the server in microseconds a request."""

    per_second: float
    p50: float
    p99: float
    refused: int
    cpu: float


@dataclass(frozen=True)
class Variant:
    """A server to be measured, and where it listens."""

    name: str
    port: int
    program: Program


def program(name: str, core: str, port: int, *command: str, **environment: str) -> Program:
    """Something that listens on `port`, and has no core but this one."""
    return Program(
        name=name,
        command=("taskset", "-c", core, *command),
        environment={**os.environ, "PYTHONPATH": str(HERE), **environment},
        port=port,
        ready=partial(port_listens, LOOPBACK, port),
    )


def answering(name: str, core: str, port: int, app: str, **environment: str) -> Program:
    """One of the applications beside this file."""
    quiet = ("--no-access-log", "--log-level", "error", "--lifespan", "off")
    return program(name, core, port, sys.executable, "-m", "uvicorn", app, "--port", str(port), *quiet, **environment)


def gateway(name: str, port: int, service: str, clerk: str, **environment: str) -> Program:
    """The gateway itself, with one service for all of them."""
    services = {f"{one}_URL": service for one in ("PATIENTS", "SYNC", "ANALYTICS", "ADMIN")}
    settings = {"HOST": LOOPBACK, "PORT": str(port), "IDENTITY_KEY": "k" * 64, "CLERK_ISSUER": clerk, **services}
    return program(name, UNDER_TEST, port, sys.executable, "-m", "gateway", **settings, **environment)


async def measure(port: int, pid: int, script: Path, seconds: int) -> Measured:
    """Load from wrk for a while."""
    spent_before = cpu_seconds(pid)
    options = ("-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script))
    command = ("taskset", "-c", BESIDE, "wrk", *options, f"http://{LOOPBACK}:{port}{PATH}")
    wrk = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output = (await wrk.communicate())[0].decode()
    requests = float(_found(r"(\d+) requests in", output))
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return Measured(
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", output)),
        p50=_milliseconds(_found(r"^ +50% +(\S+)", output)),
        p99=_milliseconds(_found(r"^ +99% +(\S+)", output)),
        refused=int(refused[1]) if refused else 0,
        cpu=(cpu_seconds(pid) - spent_before) / requests * 1e6,
    )


def _found(pattern: str, output: str) -> str:
    match = re.search(pattern, output, re.MULTILINE)
    if match is None:
        raise SystemExit(f"wrk said something else:\n{output}")
    return match[1]


def _milliseconds(text: str) -> float:
    for unit, factor in (("us", 0.001), ("ms", 1.0), ("s", 1000.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise ValueError(text)


async def tokens(clerk: str, to: Path) -> Path:
    """A session of each user, one a line, and Clerk's public key as HAProxy wants it."""
    async with httpx.AsyncClient(base_url=clerk, trust_env=False) as http:
        sessions = [
            {"org": "org_bench", "role": "member", "user": f"user_{n}", "expires_in": 3600} for n in range(USERS)
        ]
        answers = [await http.post("/tokens", json=session) for session in sessions]
        (to / "tokens").write_text("\n".join(answer.json()["token"] for answer in answers))
        key = jwt.PyJWK((await http.get("/.well-known/jwks.json")).json()["keys"][0]).key
    (to / "clerk.pem").write_bytes(_pem(key))
    script = to / "wrk.lua"
    script.write_text(WRK.format(tokens=to / "tokens", path=PATH))
    return script


def _pem(key: object) -> bytes:
    assert isinstance(key, RSAPublicKey)  # noqa: S101 - what Clerk signs with
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def variants(home: Path, upstream: int, clerk: str, redis: int | None) -> list[Variant]:
    """What is compared; what is not installed is left out."""
    service = f"http://{LOOPBACK}:{upstream}"
    ports = [free_port() for _ in range(4)]
    found = [
        Variant("bare", ports[0], answering("bare", UNDER_TEST, ports[0], "upstream:app")),
        Variant("proxy", ports[1], answering("proxy", UNDER_TEST, ports[1], "proxy:app", UPSTREAM=service)),
        Variant("chain", ports[2], gateway("chain", ports[2], service, clerk)),
    ]
    if redis:
        shared = gateway("chain-shared", ports[3], service, clerk, REDIS_URL=f"redis://{LOOPBACK}:{redis}/0")
        found.append(Variant("chain-shared", ports[3], shared))
    if haproxy := shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin"):
        for name, text in (("haproxy-least", HAPROXY_LEAST), ("haproxy-jwt", HAPROXY_ALIKE)):
            port, file = free_port(), home / f"{name}.cfg"
            upstream_address = f"{LOOPBACK}:{upstream}"
            where = {"address": f"{LOOPBACK}:{port}", "upstream": upstream_address}
            file.write_text(text.format(**where, key=home / "clerk.pem", issuer=clerk))
            found.append(Variant(name, port, program(name, UNDER_TEST, port, haproxy, "-db", "-f", str(file))))
    return found


async def run(home: Path) -> Mapping[str, Sequence[Measured]]:
    """Every variant once a round, in turn."""
    upstream, clerk_port, redis_port = free_port(), free_port(), free_port()
    clerk = f"http://{LOOPBACK}:{clerk_port}"
    emulator = (sys.executable, "-m", "clerk_emulator", "--port", str(clerk_port), "--key-file", str(home / "key"))
    beside = [
        answering("upstream", BESIDE, upstream, "upstream:app"),
        program("clerk", BESIDE, clerk_port, *emulator),
    ]
    if redis := shutil.which("redis-server"):
        beside.append(program("redis", BESIDE, redis_port, redis, "--port", str(redis_port), "--save", ""))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(*beside, logs=home))
        script = await tokens(clerk, home)
        compared = variants(home, upstream, clerk, redis_port if redis else None)
        children = await stack.enter_async_context(running(*(one.program for one in compared), logs=home))
        results: dict[str, list[Measured]] = {one.name: [] for one in compared}
        turns = [turn for _ in range(ROUNDS) for turn in zip(compared, children, strict=True)]
        for one, child in track(turns, description="Measuring", console=Console(stderr=True)):
            await measure(one.port, child.pid, script, WARM_UP_SECONDS)
            results[one.name].append(await measure(one.port, child.pid, script, SECONDS))
    return results


def report(results: Mapping[str, Sequence[Measured]]) -> None:
    """Medians; those of ratios are taken round by round, for what else the machine does comes and goes."""
    medians = {name: statistics.median(one.per_second for one in rounds) for name, rounds in results.items()}
    table = Table(
        "variant", "req/s", "of bare", "p50 ms", "p99 ms", "CPU µs", "refused", title=f"{CONNECTIONS} connections, 2 kB"
    )
    for name, rounds in results.items():
        p50, p99, cpu = (statistics.median(getattr(one, at) for one in rounds) for at in ("p50", "p99", "cpu"))
        share, refused = f"{ratio(results, name, 'bare'):.2f}", str(sum(one.refused for one in rounds))
        table.add_row(name, f"{medians[name]:,.0f}", share, f"{p50:.1f}", f"{p99:.1f}", f"{cpu:.0f}", refused)
    out = Console()
    out.print(table)
    for one, other in (("chain-shared", "chain"), ("chain", "haproxy-least"), ("chain", "haproxy-jwt")):
        if one in results and other in results:
            out.print(f"{one}/{other}: {ratio(results, one, other):.2f}")


def ratio(results: Mapping[str, Sequence[Measured]], one: str, other: str) -> float:
    """How many requests `one` answers for each of the `other`."""
    return statistics.median(a.per_second / b.per_second for a, b in zip(results[one], results[other], strict=True))


def main() -> None:
    """Needs wrk; Redis and HAProxy where installed."""
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk (and redis-server, haproxy for the whole comparison)")
    with tempfile.TemporaryDirectory(prefix="routiq-bench-") as home:
        report(asyncio.run(run(Path(home))))


if __name__ == "__main__":
    main()
