"""Load from wrk, over many connections, on requests that follow each other in a list."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chassis.identity import HEADER

CONNECTIONS = 32
WARM_UP_SECONDS, ANSWERS_EACH, LONGEST_SECONDS = 3, 5, 20
"""`ANSWERS_EACH`: on every connection, in a round that is not too short."""
SCRIPT = """
local requests, at = {{}}, 0
for line in io.lines("{requests}") do
    local path, identity = line:match("(%S+) (%S+)")
    requests[#requests + 1] = wrk.format("GET", path, {{["{header}"] = identity}})
end
request = function()
    at = at % #requests + 1
    return requests[at]
end
done = function(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\\n{{"requests": %d, "microseconds": %d, "refused": %d, "failed": %d, "p50": %f, "p99": %f}}\\n',
        summary.requests, summary.duration, errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000
    ))
end
"""


@dataclass(frozen=True)
class Measured:
    """Latencies in milliseconds."""

    per_second: float
    p50: float
    p99: float
    refused: int
    """Answered, but with an error: a server may have more to do than it can."""


@dataclass(frozen=True)
class Load:
    """Requests to one server: each a path and the identity of who asks."""

    port: int
    script: Path

    @classmethod
    def of(cls, port: int, requests: Sequence[tuple[str, str]], file: Path) -> "Load":
        """`file` is for the list; the script lies beside it."""
        file.write_text("".join(f"{path} {identity}\n" for path, identity in requests))
        script = file.with_suffix(".lua")
        script.write_text(SCRIPT.format(requests=file, header=HEADER))
        return cls(port, script)

    async def measure(self, seconds: float) -> Measured:
        """For a while; twice as long when that was too short for even one answer."""
        seen = await self.run(seconds)
        if not seen["requests"]:
            return await self.measure(seconds * 2)
        answered = seen["requests"] - seen["refused"]
        return Measured(answered / seen["microseconds"] * 1e6, seen["p50"], seen["p99"], int(seen["refused"]))

    async def warm_up(self) -> float:
        """The seconds of a fair round: answers under way at its end are lost, and must be few beside the others."""
        seen = await self.run(WARM_UP_SECONDS)
        wanted = CONNECTIONS * ANSWERS_EACH
        return min(WARM_UP_SECONDS * wanted / max(seen["requests"], 1), LONGEST_SECONDS)

    async def run(self, seconds: float) -> dict[str, float]:
        """What the script prints. Ends the bench when a request was not answered."""
        options = ("-t1", f"-c{CONNECTIONS}", f"-d{round(seconds)}s", "--timeout", "120s", "-s", str(self.script))
        command = ("wrk", *options, f"http://127.0.0.1:{self.port}")
        wrk = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        output = (await wrk.communicate())[0].decode()
        seen: dict[str, float] = json.loads(output.splitlines()[-1])
        if seen["failed"]:
            raise SystemExit(f"requests failed:\n{output}")
        return seen
