"""The way of every request: where to, who, how often, then on to a service or an answer of our own."""

import time
from collections.abc import Mapping

import structlog
from starlette.types import Receive, Scope, Send

from chassis.errors import NotFound, Refusal
from chassis.identity import Caller, sign
from chassis.logs import describe
from gateway import handlers
from gateway.adapters.limits import Limits
from gateway.adapters.memberships import Memberships
from gateway.adapters.services import Service
from gateway.adapters.tokens import Tokens
from gateway.domain import routing
from gateway.domain.limits import tier_of
from gateway.domain.proxies import Proxies
from gateway.domain.refusals import Failed, MethodNotAllowed, TooManyRequests
from gateway.domain.routing import Access, Match
from gateway.entrypoints.cors import Origins, preflight_headers
from gateway.entrypoints.exchange import Exchange
from gateway.entrypoints.forwarding import Bounds, forward
from gateway.entrypoints.observing import LIMITED, observe
from gateway.entrypoints.own import OwnAnswers

log = structlog.get_logger()


class Gateway:
    """The ASGI application."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        memberships: Memberships | None,
        services: Mapping[str, Service],
        own: OwnAnswers,
        limits: Limits,
        origins: Origins,
        identity_key: bytes,
        proxies: Proxies,
        platform: str | None,
        bounds: Bounds,
    ) -> None:
        self._tokens, self._memberships = tokens, memberships
        self._services, self._own = services, own
        self._limits, self._origins = limits, origins
        self._identity_key, self._proxies = identity_key, proxies
        self._platform, self._bounds = platform, bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with the error envelope when nothing better can be said."""
        exchange = Exchange(scope, receive, send, self._origins, self._proxies)
        try:
            await self._serve(exchange)
        except Refusal as refusal:
            await exchange.refuse(refusal)
        except Exception as error:
            log.error("request failed", request_id=exchange.request_id, **describe(error))
            await exchange.refuse(Failed("The server could not answer this request. It has been logged."))
        finally:
            observe(exchange)

    async def _serve(self, exchange: Exchange) -> None:
        match = routing.match(exchange.path)
        exchange.route = match.route
        if exchange.asks_permission:
            await self._permit(exchange)
        elif match.route.service in self._services:
            caller = await self._admit(exchange, match)
            service = self._services[match.route.service]
            identity = sign(caller, service.name, self._identity_key, time.time())
            await forward(exchange, service, identity, self._bounds)
        else:
            await self._answer(exchange, match)

    async def _permit(self, exchange: Exchange) -> None:
        """A browser's preflight: it costs nothing and needs no token, which the browser would not send."""
        exchange.quota = await self._limits.peek(tier_of(exchange.path), exchange.client)
        await exchange.start(204, preflight_headers())
        await exchange.send(b"", more=False)

    async def _answer(self, exchange: Exchange, match: Match) -> None:
        answer = self._own.find(match.route.template)
        if answer and exchange.method in ("GET", "HEAD"):
            if match.route.access is Access.ANYONE:
                await self._count(exchange, exchange.client)
            else:
                await self._admit(exchange, match)
            await answer(exchange)
            return
        await self._count(exchange, exchange.client)
        raise MethodNotAllowed("Use GET.") if answer else NotFound("There is nothing at this address.")

    async def _admit(self, exchange: Exchange, match: Match) -> Caller:
        """Who asks, counted before anything is done for them."""
        try:
            claims = await handlers.authenticate(exchange.header(b"authorization"), self._tokens)
        except Refusal:
            await self._count(exchange, exchange.client)
            raise
        await self._count(exchange, f"{claims.user_id} {claims.organization_id}")
        in_header = exchange.header(b"x-organization-id")
        standing = await handlers.stand(claims, match, in_header, self._memberships)
        exchange.caller = handlers.admit(claims, standing, match, exchange.request_id, self._platform)
        return exchange.caller

    async def _count(self, exchange: Exchange, client: str) -> None:
        tier = tier_of(exchange.path)
        look = self._limits.count if exchange.route.counted else self._limits.peek
        quota = exchange.quota = await look(tier, client)
        if quota.exceeded and exchange.route.counted:
            LIMITED.labels(tier.name).inc()
            raise TooManyRequests(f"Too many requests. Try again in {quota.retry_after} seconds.")
