"""The server's own refusal of what is not HTTP, in our envelope: such a request never becomes one the gateway sees."""

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.errors import envelope


class EnvelopingProtocol(HttpToolsProtocol):
    """uvicorn's protocol with another text in its one answer of its own."""

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong and close: where the next request would start cannot be known."""
        body = json.dumps(envelope(400, msg, "")).encode()
        self.transport.write(
            b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"x-content-type-options: nosniff\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        )
        self.transport.close()
