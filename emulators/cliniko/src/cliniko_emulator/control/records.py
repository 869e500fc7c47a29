"""One record at a time: add it, change its columns."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Route

from cliniko_emulator.answers import JSON, Answer, RefusalError, no_such_record
from cliniko_emulator.changes.site import Site
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.control.body import body, understood
from cliniko_emulator.resources import RESOURCES
from cliniko_emulator.shape import HERE


@dataclass(frozen=True)
class Records:
    cliniko: Cliniko

    def routes(self) -> list[Route]:
        return [
            Route("/_control/{shard}/{resource}", self.add, methods=["POST"]),
            Route("/_control/{shard}/{resource}/{id:int}", self.change, methods=["PATCH"]),
        ]

    async def add(self, request: Request) -> Answer:
        """Identity and times are filled in where they are not given."""
        site, given = self._site(request), await body(request)
        record = understood(lambda: site.insert(given, self.cliniko.now()))
        return _shown(request, site, record, 201)

    async def change(self, request: Request) -> Answer:
        """`updated_at` becomes now unless it is given; null is a value, an absent key changes nothing."""
        site, given = self._site(request), await body(request)
        record = site.table.get(request.path_params["id"])
        if record is None:
            raise RefusalError(no_such_record())
        understood(lambda: site.update(record, given, self.cliniko.now()))
        return _shown(request, site, record, 200)

    def _site(self, request: Request) -> Site:
        """Where two clinics share a shard, `?key=` says which; without it the first is meant."""
        shard, key = request.path_params["shard"], request.query_params.get("key")
        clinics = (one for one in self.cliniko.clinics if one.account.shard == shard and key in {None, one.account.key})
        clinic = next(clinics, None)
        resource = next((one for one in RESOURCES if one.name == request.path_params["resource"]), None)
        if clinic is None or resource is None:
            raise RefusalError(no_such_record())
        return Site(self.cliniko, clinic, resource)


def _shown(request: Request, site: Site, record: object, status: int) -> Answer:
    base = f"{request.url.scheme}://{request.url.netloc}/{request.path_params['shard']}/v1"
    (text,) = site.resource.write([record], site.clinic)
    return Answer(status, text.replace(HERE.encode(), base.encode()), JSON)
