"""The way of every request: where to, who, how often, then on to a service or an answer of our own."""

from collections.abc import Mapping

import structlog

from chassis.errors import NotFound, Refusal
from chassis.logs import describe
from gateway import handlers
from gateway.adapters.limits import Limits
from gateway.adapters.memberships import Memberships
from gateway.adapters.refusals import Refusals
from gateway.adapters.request_log import RequestLog
from gateway.adapters.services import Service
from gateway.adapters.tokens import Tokens
from gateway.adapters.vouching import Vouching
from gateway.domain import organizations, routing, turned_away
from gateway.domain.claims import Claims
from gateway.domain.limits import tier_of
from gateway.domain.refusals import Failed, MethodNotAllowed, NotAdmitted, TooManyRequests
from gateway.domain.routing import Access, Match
from gateway.domain.turned_away import TurnedAway
from gateway.entrypoints.cors import preflight_headers
from gateway.entrypoints.exchange import Exchange
from gateway.entrypoints.forwarding import Bounds, forward
from gateway.entrypoints.observing import LIMITED, TURNED_AWAY, method_of, observe
from gateway.entrypoints.own import OwnAnswers
from gateway.entrypoints.refusing import refuse

log = structlog.get_logger()


class Gateway:
    """Called with each exchange."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        memberships: Memberships | None,
        services: Mapping[str, Service],
        own: OwnAnswers,
        limits: Limits,
        vouching: Vouching,
        platform: str | None,
        bounds: Bounds,
        request_log: RequestLog | None,
        refusals: Refusals | None,
    ) -> None:
        self._tokens, self._memberships = tokens, memberships
        self._services, self._own, self._limits = services, own, limits
        self._vouching, self._platform = vouching, platform
        self._bounds, self._request_log, self._refusals = bounds, request_log, refusals

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one request, with the error envelope when nothing better can be said."""
        try:
            await self._serve(exchange)
        except Refusal as refusal:
            await refuse(exchange, refusal)
        except Exception as error:
            log.error("request failed", request_id=exchange.request_id, **describe(error))
            await refuse(exchange, Failed("The server could not answer this request. It has been logged."))
        finally:
            if exchange.status == 403 and exchange.caller:
                caller, method = exchange.caller, method_of(exchange)
                self._remember(exchange, turned_away.by_service(caller, method, exchange.route.template))
            observe(exchange, self._request_log)

    async def _serve(self, exchange: Exchange) -> None:
        match = routing.match(exchange.path)
        exchange.route = match.route
        if exchange.asks_permission:
            await self._permit(exchange)
        elif service := self._services.get(match.route.service):
            await forward(exchange, service, await self._identity(exchange, match), self._bounds)
        else:
            await self._answer(exchange, match)

    async def _identity(self, exchange: Exchange, match: Match) -> bytes | None:
        """Signed for the service; None where anybody may ask."""
        if match.route.access is Access.ANYONE:
            await self._count(exchange, exchange.client)
            return None
        return self._vouching.identity(await self._admit(exchange, match), match.route.service)

    async def _permit(self, exchange: Exchange) -> None:
        """A browser's preflight: it costs nothing and needs no token, which the browser would not send."""
        exchange.quota = await self._limits.peek(tier_of(exchange.path), exchange.client)
        exchange.start(204, preflight_headers())
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

    async def _admit(self, exchange: Exchange, match: Match) -> organizations.Admitted:
        """Who asks, counted before anything is done for them."""
        try:
            token = handlers.bearer(exchange.header(b"authorization"))
            claims = self._tokens.recall(token) or await self._tokens.verify(token)
        except Refusal:
            await self._count(exchange, exchange.client)
            raise
        await self._count(exchange, f"{claims.user_id} {claims.organization_id}")
        named = organizations.named(match.organization_id, exchange.header(b"x-organization-id"))
        try:
            standing = await handlers.stand(claims, named, self._memberships)
            exchange.caller = handlers.admit(claims, standing, match, self._platform)
        except NotAdmitted as refusal:
            self._turn_away(exchange, refusal, claims, named)
            raise
        return exchange.caller

    def _turn_away(self, exchange: Exchange, refusal: NotAdmitted, claims: Claims, named: str | None) -> None:
        method, route = method_of(exchange), exchange.route.template
        who = turned_away.by_gateway(refusal, claims, named, self._platform, method, route)
        if who:
            self._remember(exchange, who)
        else:
            TURNED_AWAY.inc(refusal.reason)

    def _remember(self, exchange: Exchange, who: TurnedAway) -> None:
        TURNED_AWAY.inc(who.reason)
        if self._refusals:
            self._refusals.note(who, exchange.request_id)

    async def _count(self, exchange: Exchange, client: str) -> None:
        tier = tier_of(exchange.path)
        look = self._limits.count if exchange.route.counted else self._limits.peek
        quota = exchange.quota = await look(tier, client)
        if quota.exceeded and exchange.route.counted:
            LIMITED.inc(tier.name)
            raise TooManyRequests(f"Too many requests. Try again in {quota.retry_after} seconds.")
