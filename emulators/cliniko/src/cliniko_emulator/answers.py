"""The bodies Cliniko answers with: JSON, and the text and HTML it uses for some errors."""

from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from cliniko_emulator.shape import to_json

JSON, TEXT, HTML = "application/json; charset=utf-8", "text/plain; charset=utf-8", "text/html; charset=utf-8"
_PAGE = "<!DOCTYPE html>\n<html><head><title>Cliniko - {status}</title></head><body><h1>{text}</h1></body></html>\n"


@dataclass(slots=True)
class Answer:
    """`cut_after`: bytes of the body after which the connection ends; None sends all of it."""

    status: int
    body: bytes = b""
    content_type: str = TEXT
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        await self.start(send)
        await send({"type": "http.response.body", "body": self.body})

    async def start(self, send: Send) -> None:
        headers = {"content-type": self.content_type, "content-length": str(len(self.body)), **self.headers}
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": encoded})


class RefusalError(Exception):
    """Carries the answer of a request that goes no further."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def as_json(content: object, status: int = 200) -> Answer:
    return Answer(status, to_json(content).encode(), JSON)


def bad_request(message: str) -> Answer:
    return as_json({"message": message}, 400)


def unauthorized(body: str = "text") -> Answer:
    """The same for an unknown key, a revoked key, and a key of another shard. SIM: Cliniko's body is not known."""
    if body == "json":
        return as_json({"message": "Unauthorized"}, 401)
    return Answer(401, b"HTTP Basic: Access denied.\n")


def user_agent_required() -> Answer:
    return Answer(403, b"Requires a user agent")


def no_such_record() -> Answer:
    return as_json({"status": "404", "error": "Not Found"}, 404)


def no_such_route() -> Answer:
    return page(404, "The page you were looking for does not exist.")


def too_many_requests(reset: float) -> Answer:
    """`reset`: UNIX seconds when the window ends."""
    answer = as_json({"message": "Rate limit exceeded"}, 429)
    answer.headers["X-RateLimit-Reset"] = str(int(reset))
    return answer


def moved(address: str) -> Answer:
    return Answer(301, headers={"Location": address})


def page(status: int, text: str) -> Answer:
    return Answer(status, _PAGE.format(status=status, text=text).encode(), HTML)
