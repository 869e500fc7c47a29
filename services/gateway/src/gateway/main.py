"""The gateway, put together."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from math import nan

import httpx
import uvicorn
from starlette.types import ASGIApp

from chassis import logs, tracing
from chassis.queues import CONNECTED
from chassis.tasks import keep_doing
from gateway.adapters.breakers import breaker_for
from gateway.adapters.clerk import SigningKeys
from gateway.adapters.descriptions import Descriptions
from gateway.adapters.limits import Limits
from gateway.adapters.memberships import Memberships
from gateway.adapters.readiness import Readiness
from gateway.adapters.refusals import Refusals
from gateway.adapters.request_log import RequestLog
from gateway.adapters.services import Service
from gateway.adapters.tokens import Tokens
from gateway.adapters.valkey import Address, Valkey
from gateway.adapters.vouching import Vouching
from gateway.domain.proxies import Proxies
from gateway.entrypoints.cors import Origins
from gateway.entrypoints.documentation.answers import documentation
from gateway.entrypoints.draining import DrainingServer
from gateway.entrypoints.forwarding import Bounds
from gateway.entrypoints.http import Gateway
from gateway.entrypoints.lifespan import living
from gateway.entrypoints.own import OwnAnswers
from gateway.entrypoints.protocol import ClientConnection
from gateway.entrypoints.surroundings import Surroundings
from gateway.entrypoints.traced import Traced
from gateway.settings import Settings

Jobs = Mapping[str, Callable[[], Awaitable[None]]]


def assemble(settings: Settings) -> tuple[Gateway, ASGIApp]:
    """What answers requests, and the lifespan of what goes on beside them."""
    client = httpx.AsyncClient(timeout=3, trust_env=False)
    keys = SigningKeys(settings.jwks_url, client)
    readiness = Readiness(settings.service_urls, client)
    descriptions = Descriptions(settings.service_urls, client)
    services = {name: Service(name, url) for name, url in settings.service_urls.items()}
    store = Valkey(Address.parse(settings.redis_url.get_secret_value())) if settings.redis_url else None
    request_log = RequestLog("gateway") if logging.getLevelNamesMapping()[settings.log_level] <= logging.INFO else None
    refusals = Refusals(settings.amqp_url.get_secret_value()) if settings.amqp_url else None
    environment = {"APP_ENV": settings.app_env, "PORT": str(settings.port)}
    gateway = Gateway(
        tokens=Tokens(keys, settings.clerk_issuer, settings.clerk_authorized_parties),
        memberships=_memberships(settings, client),
        services=services,
        own=OwnAnswers(readiness, keys, environment, documentation(descriptions)),
        limits=Limits(store),
        vouching=Vouching(settings.identity_key.get_secret_value().encode()),
        platform=settings.platform_organization_id,
        bounds=Bounds(settings.body_limit, settings.client_timeout_seconds, settings.service_timeout_seconds),
        request_log=request_log,
        refusals=refusals,
    )
    jobs = {"jwks": keys.keep_fresh, "readiness": readiness.watch, "descriptions": descriptions.watch}
    if store:
        jobs["store"] = store.stay_connected
    closing = [service.close for service in services.values()] + ([request_log.write] if request_log else [])
    if refusals:
        jobs["refusals"] = refusals.announce
        closing.append(refusals.close)
    else:
        CONNECTED.set(nan)  # without a broker it is neither connected nor away
    return gateway, living(partial(_beside_requests, jobs, closing, client))


@asynccontextmanager
async def _beside_requests(
    jobs: Jobs, closing: list[Callable[[], None]], client: httpx.AsyncClient
) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(keep_doing(name, job), name=name) for name, job in jobs.items()]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for close in closing:
        close()
    await client.aclose()
    await tracing.stop()


def _memberships(settings: Settings, client: httpx.AsyncClient) -> Memberships | None:
    if settings.clerk_secret_key is None:
        return None
    secret_key = settings.clerk_secret_key.get_secret_value()
    return Memberships(settings.clerk_api_url, secret_key, client, breaker_for("clerk"))


def server(settings: Settings) -> uvicorn.Server:
    """The gateway on its port; told to stop, it finishes the requests under way first."""
    gateway, lifespan = assemble(settings)
    share, endpoint = settings.otel_traces_sampler_arg, settings.otel_exporter_otlp_endpoint
    tracing.start("gateway", endpoint, share=1.0)  # of those that are given to it
    handler = Traced(gateway, share) if endpoint else gateway
    around = Surroundings(
        Origins(settings.allowed_origins), Proxies(settings.trusted_proxies), settings.client_timeout_seconds
    )
    config = uvicorn.Config(
        lifespan,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=partial(ClientConnection, handler, around),  # type: ignore[arg-type] # whatever makes a protocol will do
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # see domain/proxies.py
        timeout_keep_alive=95,  # longer than the 90 s for which Traefik keeps a connection it does not use
        timeout_graceful_shutdown=25,
    )
    return DrainingServer(config, settings.drain_seconds)


def main() -> None:
    """From the environment to a listening gateway."""
    settings = Settings.load()
    logs.configure("gateway", settings.log_level)
    with suppress(KeyboardInterrupt):
        server(settings).run()
