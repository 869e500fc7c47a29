"""One connection to Redis or Valkey for all requests: what they ask in one turn of the loop leaves in one write."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import hiredis

PATIENCE_SECONDS = 0.5
"""What was asked before the last look must have been answered by this one: nobody waits longer than twice this."""

Reply = Any
"""Whatever RESP can say; a refused command is a `hiredis.ReplyError` raised to whoever asked."""


_packed = cast(Callable[[tuple[bytes, ...]], bytes], hiredis.pack_command)  # its stub allows one word only


class StoreAway(Exception):
    """The store cannot be asked, or did not answer in time."""


class Pipeline(asyncio.Protocol):
    """Commands go out in the order they are asked, and their replies come back in it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._replies = hiredis.Reader()
        self._unsent: list[bytes] = []
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._sent = self._answered = self._due = 0
        self._looked_at = self._loop.time()
        self.closed: asyncio.Future[None] = self._loop.create_future()

    def ask(self, *words: bytes) -> asyncio.Future[Reply]:
        """Send a command. Its reply, or StoreAway when the connection ends before it comes."""
        reply: asyncio.Future[Reply] = self._loop.create_future()
        if self.closed.done():
            reply.set_exception(StoreAway())
            return reply
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(_packed(words))
        self._waiting.append(reply)
        return reply

    def close(self) -> None:
        """Give the connection up; who still waits is told."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._looking = self._loop.call_later(PATIENCE_SECONDS, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        self._looking.cancel()
        self.closed.set_result(None)
        for reply in self._waiting:
            if not reply.done():
                reply.set_exception(StoreAway())
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        self._replies.feed(data)
        try:
            while (reply := self._replies.gets()) is not False:
                self._settle(reply)
        except (hiredis.ProtocolError, IndexError):  # not RESP, or a reply nobody asked for
            self.close()

    def _settle(self, reply: Reply) -> None:
        self._answered += 1
        waiter = self._waiting.popleft()
        if waiter.done():  # who asked has gone
            return
        if isinstance(reply, hiredis.ReplyError):
            waiter.set_exception(reply)
        else:
            waiter.set_result(reply)

    def _flush(self) -> None:
        self._sent += len(self._unsent)
        if not self._transport.is_closing():
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _look(self) -> None:
        """No timer per command: one look now and then sees whether replies keep coming."""
        now = self._loop.time()
        late, self._looked_at = now - self._looked_at > 2 * PATIENCE_SECONDS, now
        if self._answered < self._due and not late:  # when we are late ourselves, replies may be here unread
            self.close()
            return
        self._due = self._sent
        self._looking = self._loop.call_later(PATIENCE_SECONDS, self._look)
