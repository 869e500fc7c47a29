"""The store that all replicas of the gateway share: Valkey or Redis, asked through one pipelined connection."""

import asyncio
import ssl
from dataclasses import dataclass
from hashlib import sha1
from urllib.parse import unquote, urlsplit

import hiredis
import structlog
from prometheus_client import Gauge

from chassis.metrics import turned
from gateway.adapters.pipeline import Pipeline, Reply, StoreAway

log = structlog.get_logger()

CONNECT_SECONDS = 1.0
RECONNECT_SECONDS = 0.5
LOOK_SECONDS = 5.0
"""Between two looks whether the connection is still there."""

UP = Gauge("routiq_gateway_store_up", "1 while the shared store of the rate limits can be asked.")


@dataclass(frozen=True)
class Address:
    """Where the store is, and how to enter it."""

    host: str
    port: int
    user: str
    password: str
    database: int
    encrypted: bool

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Read `redis://user:password@host:port/database` (`rediss://`: TLS). Raises ValueError, never quoting it."""
        try:
            parts = urlsplit(url)
            port, database = parts.port or 6379, int(parts.path.strip("/") or 0)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme not in ("redis", "rediss") or not parts.hostname:
            raise ValueError("the store's address is not redis://user:password@host:port/database")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, user, password, database, parts.scheme == "rediss")


class Script:
    """What the store does in one step."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.digest = sha1(text, usedforsecurity=False).hexdigest().encode()


class Valkey:
    """Connected for as long as `stay_connected` runs and the store is there; StoreAway at once while it is not."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._secure = ssl.create_default_context() if address.encrypted else None
        self._pipeline: Pipeline | None = None

    async def stay_connected(self) -> None:
        """Connect, and again whenever the connection ends, until cancelled."""
        away = False
        try:
            while True:
                turned("store", LOOK_SECONDS)
                away = await self._live_through_one_connection(away)
                await asyncio.sleep(RECONNECT_SECONDS)
        finally:
            if self._pipeline:
                self._pipeline.close()

    async def run(self, script: Script, key: bytes, *arguments: bytes) -> Reply:
        """The script's reply for this key. Raises StoreAway, also when the store refuses."""
        pipeline = self._pipeline
        if pipeline is None:
            raise StoreAway
        try:
            return await pipeline.ask(b"EVALSHA", script.digest, b"1", key, *arguments)
        except hiredis.ReplyError as refusal:
            if not str(refusal).startswith("NOSCRIPT"):
                raise self._give_up(pipeline, refusal) from None
        try:
            return await pipeline.ask(b"EVAL", script.text, b"1", key, *arguments)
        except hiredis.ReplyError as refusal:
            raise self._give_up(pipeline, refusal) from None

    def _give_up(self, pipeline: Pipeline, refusal: hiredis.ReplyError) -> StoreAway:
        """A store that refuses (full, read-only, loading) may be another one after connecting again."""
        log.warning("the shared store refuses", reason=_code(refusal))
        pipeline.close()
        return StoreAway()

    async def _live_through_one_connection(self, away: bool) -> bool:
        try:
            self._pipeline = await self._connect()
        except (OSError, StoreAway, hiredis.ReplyError) as error:  # a time-out is an OSError too
            if not away:
                log.warning("the shared store is away", error=type(error).__name__, reason=_code(error))
            return True
        log.info("the shared store is there")
        UP.set(1)
        try:
            while not self._pipeline.closed.done():
                turned("store", LOOK_SECONDS)
                await asyncio.wait([self._pipeline.closed], timeout=LOOK_SECONDS)
        finally:
            UP.set(0)
        self._pipeline = None
        return False

    async def _connect(self) -> Pipeline:
        where = self._address
        async with asyncio.timeout(CONNECT_SECONDS):
            _, pipeline = await asyncio.get_running_loop().create_connection(
                Pipeline, where.host, where.port, ssl=self._secure
            )
            try:
                await self._enter(pipeline)
            except BaseException:
                pipeline.close()
                raise
        return pipeline

    async def _enter(self, pipeline: Pipeline) -> None:
        """All at once: a refused one is seen when its reply comes."""
        where = self._address
        replies = []
        if where.password:
            user = (where.user.encode(),) if where.user else ()
            replies.append(pipeline.ask(b"AUTH", *user, where.password.encode()))
        replies.append(pipeline.ask(b"SELECT", b"%d" % where.database))
        await asyncio.gather(*replies)


def _code(error: Exception) -> str | None:
    """The word a refusal of the store begins with, such as WRONGPASS."""
    return str(error).split(" ", 1)[0] if isinstance(error, hiredis.ReplyError) else None
