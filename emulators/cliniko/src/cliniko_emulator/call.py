"""One request as the emulator reads it: whose, for which path, with which parameters."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

Parameters = Sequence[tuple[str, str]]

_PATH = re.compile(r"/(?:(?P<shard>[^/]+)/)?v1/(?P<path>.+)")


@dataclass
class Call:
    """`path` is what follows `/v1/`; without a `shard` the client left it out of the address."""

    scope: Scope
    receive: Receive
    send: Send
    shard: str | None
    path: str

    @classmethod
    def of(cls, scope: Scope, receive: Receive, send: Send) -> "Call | None":
        """None for a path that is not the API's."""
        match = _PATH.fullmatch(scope["path"])
        return cls(scope, receive, send, match["shard"], match["path"]) if match else None

    @property
    def method(self) -> str:
        return str(self.scope["method"])

    @cached_property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.scope["headers"])

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1").strip()

    @property
    def origin(self) -> str:
        return f"{self.scope['scheme']}://{self.header(b'host')}"

    @property
    def base(self) -> str:
        """The API's address as this client knows it, so that the links in the answer lead back here."""
        return f"{self.origin}/{self.shard}/v1"

    def at_shard(self, shard: str) -> str:
        """The address of the same request at that shard."""
        return f"{self.origin}/{shard}/v1/{self.path}" + (f"?{self.query}" if self.query else "")

    @property
    def query(self) -> str:
        return str(self.scope["query_string"].decode("latin-1"))

    @cached_property
    def parameters(self) -> Parameters:
        return parse_qsl(self.query, keep_blank_values=True)

    @cached_property
    def user_name(self) -> str:
        """The API key; empty when there is none to be read."""
        scheme, _, credentials = self.header(b"authorization").partition(" ")
        if scheme.lower() != "basic":
            return ""
        try:
            return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
