"""One call makes a service of its routes and consumers."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import uvicorn
from fastapi import APIRouter, FastAPI

from chassis import answers, logs, tracing
from chassis.consumers import Consumers
from chassis.database import Database
from chassis.draining import DrainingServer
from chassis.health import Check, health_routes
from chassis.inbox import forget_old
from chassis.measures import keep_measuring
from chassis.messaging import Messaging
from chassis.metrics import metrics, turned
from chassis.observed import Observed
from chassis.outbox import relay
from chassis.settings import ServiceSettings
from chassis.tasks import keep_doing

Work = Callable[[Database], Awaitable[None]]
Closing = Callable[[], Awaitable[None]]
Jobs = Mapping[str, Callable[[], Awaitable[None]]]

HOUSEKEEPING_SECONDS, STOP_SECONDS = 3600, 10


def assemble(
    settings: ServiceSettings,
    consumers: Consumers,
    routes: APIRouter,
    *,
    work: Mapping[str, Work] | None = None,
    checks: Mapping[str, Check] | None = None,
    closing: Sequence[Closing] = (),
) -> FastAPI:
    """A service: its HTTP routes, its consumers, its outbox relay, health and metrics.

    `work` goes on beside them, `checks` belong to its readiness, `closing` is called at the end.
    """
    name = consumers.service
    logs.configure(name, settings.log_level)
    tracing.start(name, settings.otel_exporter_otlp_endpoint, settings.otel_traces_sampler_arg)
    database = Database(settings.database_url.get_secret_value(), name)
    messaging = Messaging(
        settings.amqp_url.get_secret_value(),
        consumers,
        database,
        settings.retry_delays,
        declares=settings.amqp_declare,
    )
    jobs: Jobs = {
        "messaging": messaging.stay_connected,
        "outbox": lambda: relay(database, messaging.connected, messaging.publish),
        "queues": messaging.keep_measuring,
        "database": lambda: keep_measuring(database),
        "housekeeping": lambda: _keep_house(database),
        **{job: (lambda do=do: do(database)) for job, do in (work or {}).items()},  # type: ignore[misc] # a default argument binds `do`
    }
    app = _app(name, jobs, [*closing, database.close, tracing.stop])
    app.state.service, app.state.database = name, database
    app.state.identity_key = settings.identity_key.get_secret_value().encode()
    app.include_router(routes)
    app.include_router(health_routes({"database": database.answers, "broker": messaging.consuming, **(checks or {})}))
    app.add_route("/metrics", metrics, include_in_schema=False)
    app.add_middleware(Observed)
    answers.install(app)
    return app


def _app(name: str, jobs: Jobs, closing: Sequence[Closing]) -> FastAPI:
    return FastAPI(
        title=f"Routiq {name}",
        version="2.0.0",
        telemetry={"tracing": False, "metrics": False, "logs": False},  # whole addresses, and errors' texts
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name this service's own address
        generate_unique_id_function=lambda route: route.name,  # short, and unique over all services
        lifespan=_lifespan(jobs, closing),
    )


def serve(app: FastAPI, settings: ServiceSettings) -> None:
    """Run until SIGTERM or SIGINT; then see DrainingServer. Requests under way are finished."""
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=10,
    )
    _spare_the_collector()
    DrainingServer(config, app, settings.drain_seconds).run()


def _spare_the_collector() -> None:
    """Have cyclic garbage looked for more rarely, and never among what lives as long as the process.

    A page of Cliniko is thousands of objects, nearly all of them freed by reference counts: looking through them every
    700 was a quarter of the work of a sync.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def _lifespan(jobs: Jobs, closing: Sequence[Closing]) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(keep_doing(name, job), name=name) for name, job in jobs.items()]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for close in closing:
            await close()

    return lifespan


async def _keep_house(database: Database) -> None:
    while True:
        async with database.transaction() as connection:
            await forget_old(connection)
        turned("housekeeping", HOUSEKEEPING_SECONDS)
        await asyncio.sleep(HOUSEKEEPING_SECONDS)
