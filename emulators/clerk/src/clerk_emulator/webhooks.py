"""Messages as Clerk sends them through Svix: signed by the standard-webhooks scheme."""

import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from clerk_emulator.sessions import slug

PATIENCE_SECONDS = 10


class Webhooks:
    """The one endpoint that this instance tells what happens."""

    def __init__(self, url: str, secret: str) -> None:
        """`secret` is `whsec_<base64>`. Raises ValueError."""
        self._address = urlsplit(url)
        self._key = b64decode(secret.removeprefix("whsec_"), validate=True)

    def send(self, kind: str, organization_id: str, message_id: str | None = None) -> dict[str, Any]:
        """Tell it, with the id of a message before to tell that one again; the id, and the status that came back."""
        message_id = message_id or f"msg_{uuid4().hex}"
        body = json.dumps(event(kind, organization_id, int(time.time() * 1000))).encode()
        headers = {"content-type": "application/json", **signed(self._key, message_id, int(time.time()), body)}
        connection = HTTPConnection(self._address.netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", self._address.path, body, headers)
            return {"message_id": message_id, "status": connection.getresponse().status}
        finally:
            connection.close()


def event(kind: str, organization_id: str, milliseconds: int) -> dict[str, Any]:
    """What Clerk says of an organization; of a deleted one little more than its id."""
    organization: dict[str, Any] = {"object": "organization", "id": organization_id}
    if kind == "organization.deleted":
        organization |= {"deleted": True}
    else:
        organization |= {"name": organization_id, "slug": slug(organization_id), "updated_at": milliseconds}
    return {"object": "event", "type": kind, "timestamp": milliseconds, "data": organization}


def signed(key: bytes, message_id: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The headers that prove a message."""
    content = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    signature = b64encode(hmac.digest(key, content, "sha256")).decode()
    return {"svix-id": message_id, "svix-timestamp": str(timestamp), "svix-signature": f"v1,{signature}"}
