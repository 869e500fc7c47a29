"""The bodies Cliniko answers with: JSON, and the text and HTML it uses for some errors."""

import json

from starlette.responses import HTMLResponse, PlainTextResponse, Response

_PAGE = "<!DOCTYPE html>\n<html><head><title>Cliniko - {status}</title></head><body><h1>{text}</h1></body></html>\n"


class RefusalError(Exception):
    """Carries the answer of a request that goes no further."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def as_json(content: object, status: int = 200) -> Response:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, media_type="application/json; charset=utf-8")


def bad_request(message: str) -> Response:
    return as_json({"message": message}, 400)


def unauthorized() -> Response:
    """The same for an unknown key, a revoked key, and a key of another shard."""
    return PlainTextResponse("HTTP Basic: Access denied.\n", 401)


def user_agent_required() -> Response:
    return PlainTextResponse("Requires a user agent", 403)


def no_such_record() -> Response:
    return as_json({"status": "404", "error": "Not Found"}, 404)


def no_such_route() -> Response:
    return page(404, "The page you were looking for does not exist.")


def too_many_requests(reset: int) -> Response:
    """`reset`: UNIX seconds when the window ends."""
    answer = as_json({"message": "Rate limit exceeded"}, 429)
    answer.headers["X-RateLimit-Reset"] = str(reset)
    return answer


def page(status: int, text: str) -> Response:
    return HTMLResponse(_PAGE.format(status=status, text=text), status)
