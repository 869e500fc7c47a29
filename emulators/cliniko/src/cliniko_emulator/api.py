"""Cliniko's routes: lists, records by id, the key's user, and the public settings."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cliniko_emulator import query, serialise
from cliniko_emulator.answers import as_json, no_such_record
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.filters import parse
from cliniko_emulator.gate import Gate
from cliniko_emulator.resources import PRACTITIONERS, RESOURCES, Resource

Answer = Callable[[Request, Clinic], Response]


def routes(gate: Gate) -> list[Route]:
    def get(path: str, answer: Answer) -> Route:
        return Route(f"/{{shard}}/v1{path}", _behind(gate, answer), methods=["GET"])

    return [
        get("/user", _user),
        get("/settings/public", _public_settings),
        get("/practitioners", partial(_list, PRACTITIONERS, scope=("active:=true",))),
        get("/practitioners/inactive", partial(_list, PRACTITIONERS, scope=("active:=false",))),
        *[get(f"/{resource.name}", partial(_list, resource)) for resource in RESOURCES if resource != PRACTITIONERS],
        *[get(f"/{resource.name}/{{id}}", partial(_record, resource)) for resource in RESOURCES],
    ]


def _behind(gate: Gate, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return answer(request, await gate.admit(request))

    return endpoint


def base_address(request: Request) -> str:
    """The API's address as this client knows it, so that the links in the answer lead back here."""
    return f"{request.url.scheme}://{request.url.netloc}/{request.path_params['shard']}/v1"


def _list(resource: Resource, request: Request, clinic: Clinic, *, scope: tuple[str, ...] = ()) -> Response:
    parameters = request.query_params.multi_items()
    conditions = query.list_conditions(resource, parameters) | {parse(text, resource.columns) for text in scope}
    found = resource.table(clinic).select(conditions, query.sort(resource, parameters))
    page = query.page(parameters)
    base = base_address(request)
    address = str(request.url.replace(query="", fragment=""))
    return as_json(
        {
            resource.name: [
                resource.render(record, base, clinic) for record in found[page.start : page.start + page.size]
            ],
            "total_entries": len(found),
            "links": page.links(address, parameters, len(found)),
        }
    )


def _record(resource: Resource, request: Request, clinic: Clinic) -> Response:
    conditions = query.record_conditions(resource, request.query_params.multi_items())
    record = resource.table(clinic).get(_id(request.path_params["id"]))
    shown = record is not None and all(
        condition.test is None or condition.test(getattr(record, condition.column)) for condition in conditions
    )
    return as_json(resource.render(record, base_address(request), clinic)) if shown else no_such_record()


def _id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _user(request: Request, clinic: Clinic) -> Response:
    return as_json(serialise.user(clinic, base_address(request)))


def _public_settings(_request: Request, clinic: Clinic) -> Response:
    return as_json(serialise.public_settings(clinic))
