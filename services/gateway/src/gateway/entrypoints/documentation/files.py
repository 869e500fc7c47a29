"""The pages and what they load: Swagger UI and Redoc from an installed package, and our few lines that start them."""

import json
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

_OURS = files("gateway.entrypoints.documentation")
_THEIRS = files("fastapi_standalone_docs") / "static"

_EMPTY = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
"""Redoc makes empty style elements and fills them by script, ..."""
_SCROLL_BAR = "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
"""... and one with the style of its scroll bar, the same for everybody."""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'{styles}; img-src 'self' data:; connect-src 'self'; "
    "worker-src {workers}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

POLICIES: Mapping[str, bytes] = {
    "/docs": _POLICY.format(styles="", workers="'none'").encode(),
    "/redoc": _POLICY.format(styles=f" {_EMPTY} {_SCROLL_BAR}", workers="blob:").encode(),  # its search is a worker
}
"""What each page may do: nothing that is not from here, no script within the page."""

_FILES = {
    "/docs/swagger-ui.css": _THEIRS / "swagger" / "swagger-ui.css",
    "/docs/swagger-ui-bundle.js": _THEIRS / "swagger" / "swagger-ui-bundle.js",
    "/docs/start.js": _OURS / "docs.js",
    "/redoc/page.css": _OURS / "redoc.css",
    "/redoc/redoc.standalone.js": _THEIRS / "redoc" / "redoc.standalone.js",
    "/redoc/logo-mini.svg": _THEIRS / "redoc" / "logo-mini.svg",
    "/redoc/start.js": _OURS / "redoc.js",
}
_KINDS = {".css": b"text/css; charset=utf-8", ".js": b"text/javascript; charset=utf-8", ".svg": b"image/svg+xml"}
_PAGES = {"/docs": _OURS / "docs.html", "/redoc": _OURS / "redoc.html"}


class File(NamedTuple):
    """What is sent for an address."""

    content: bytes
    kind: bytes


def loaded() -> dict[str, File]:
    """The files that pages load, by address."""
    return {path: File(file.read_bytes(), _kind(path)) for path, file in _FILES.items()}


def pages(loaded: Mapping[str, File]) -> dict[str, bytes]:
    """The pages by address; they ask for each file by its content's hash, so that it can be kept forever."""
    texts = {address: page.read_text() for address, page in _PAGES.items()}
    for path, file in loaded.items():
        version = sha256(file.content).hexdigest()[:12]
        texts = {address: text.replace(f'"{path}"', f'"{path}?v={version}"') for address, text in texts.items()}
    return {address: text.encode() for address, text in texts.items()}


def own_description() -> dict[str, Any]:
    """The gateway's own part of the document, with the components that every part uses."""
    own, components = (json.loads((_OURS / name).read_text()) for name in ("own.json", "components.json"))
    return {**own, "components": components}


def _kind(path: str) -> bytes:
    return _KINDS[path[path.rindex(".") :]]
