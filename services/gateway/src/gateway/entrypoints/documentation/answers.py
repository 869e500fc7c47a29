"""The answers of `/openapi.json`, `/docs`, `/redoc`, and of the files they load."""

import json
from collections.abc import Mapping
from functools import partial
from hashlib import sha256

from gateway.adapters.descriptions import Descriptions
from gateway.domain.openapi.document import Document, merged
from gateway.entrypoints.documentation.files import POLICIES, File, loaded, own_description, pages
from gateway.entrypoints.exchange import Exchange
from gateway.entrypoints.own import Answer

_ALWAYS = (b"cache-control", b"public, max-age=31536000, immutable")
_ASK_AGAIN = (b"cache-control", b"no-cache")


def documentation(descriptions: Descriptions) -> dict[str, Answer]:
    """The answer to each address of the documentation."""
    found = loaded()
    return {
        "/openapi.json": _Description(descriptions).answer,
        **{path: partial(_page, page, POLICIES[path]) for path, page in pages(found).items()},
        **{path: partial(_file, file) for path, file in found.items()},
    }


async def _page(page: bytes, policy: bytes, exchange: Exchange) -> None:
    await exchange.answer(200, page, b"text/html; charset=utf-8", _ASK_AGAIN, (b"content-security-policy", policy))


async def _file(file: File, exchange: Exchange) -> None:
    await exchange.answer(200, file.content, file.kind, _ALWAYS)


class _Description:
    """The merged document, made anew only when a service's part has changed."""

    def __init__(self, descriptions: Descriptions) -> None:
        self._descriptions = descriptions
        self._own: Document = own_description()
        self._made_of: Mapping[str, Document] | None = None
        self._text, self._tag = b"", b""

    async def answer(self, exchange: Exchange) -> None:
        self._make()
        tag = (b"etag", self._tag)
        if exchange.headers.get(b"if-none-match") == self._tag:
            exchange.start(304, [tag, _ASK_AGAIN])
            await exchange.send(b"", more=False)
        else:
            await exchange.answer(200, self._text, b"application/json", tag, _ASK_AGAIN)

    def _make(self) -> None:
        heard = self._descriptions.heard
        if heard is not self._made_of:
            self._text = json.dumps(merged(self._own, heard)).encode()
            self._tag = b'"%b"' % sha256(self._text).hexdigest()[:32].encode()
            self._made_of = heard
