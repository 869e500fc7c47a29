"""The merged OpenAPI document without a running system: `python docs/openapi.py docs/openapi.json` writes it."""

import json
import sys
from pathlib import Path
from typing import Any

from fastapi import APIRouter

import admin.entrypoints.consumers
import admin.entrypoints.dead_letters
import admin.entrypoints.http
import admin.entrypoints.webhooks
import analytics.entrypoints.consumers
import analytics.entrypoints.http
import patients.entrypoints.consumers
import patients.entrypoints.http
import sync.entrypoints.consumers
import sync.entrypoints.http
from chassis.consumers import Consumers
from chassis.service import assemble
from chassis.settings import ServiceSettings
from gateway.domain.openapi.document import merged
from gateway.entrypoints.documentation.files import own_description

SERVICES: tuple[tuple[Consumers, tuple[APIRouter, ...]], ...] = (
    (patients.entrypoints.consumers.consumers, (patients.entrypoints.http.router,)),
    (sync.entrypoints.consumers.consumers, (sync.entrypoints.http.router,)),
    (analytics.entrypoints.consumers.consumers, (analytics.entrypoints.http.router,)),
    (
        admin.entrypoints.consumers.consumers,
        (admin.entrypoints.http.router, admin.entrypoints.dead_letters.router, admin.entrypoints.webhooks.router),
    ),
)
"""Each service's routes, as its `main` puts them together; a test compares with what a running gateway serves."""

NOWHERE = {
    "database_url": "postgresql://nobody@127.0.0.1:1/none",
    "amqp_url": "amqp://127.0.0.1:1",
    "identity_key": "nothing is signed while documents are written",
}
"""A service describes itself without having connected to anything."""


def document() -> dict[str, Any]:
    """What a gateway serves at `/openapi.json` once it has heard every service."""
    return merged(own_description(), {consumers.service: _described(consumers, parts) for consumers, parts in SERVICES})


def _described(consumers: Consumers, parts: tuple[APIRouter, ...]) -> dict[str, Any]:
    routes = APIRouter()
    for part in parts:
        routes.include_router(part)
    return assemble(ServiceSettings.model_validate(NOWHERE), consumers, routes).openapi()


def text() -> str:
    """As the file holds it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text())
