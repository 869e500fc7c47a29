"""`/_control`: for tests and demos, no part of Cliniko. Changes records and settings while the emulator runs."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cliniko_emulator.answers import RefusalError, as_json, no_such_record
from cliniko_emulator.api import base_address
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.faults import Faults
from cliniko_emulator.resources import INDIVIDUAL_APPOINTMENTS, RESOURCES, Resource
from cliniko_emulator.wire import ColumnError, from_json, missing_columns

_HALF_AN_HOUR = 1800


@dataclass(frozen=True)
class Control:
    clinics: Sequence[Clinic]
    faults: Faults

    def routes(self) -> list[Route]:
        return [
            Route("/_control/health", self.health, methods=["GET"]),
            Route("/_control/settings", self.show_settings, methods=["GET"]),
            Route("/_control/settings", self.change_settings, methods=["PATCH"]),
            Route("/_control/{shard}/{resource}", self.add_record, methods=["POST"]),
            Route("/_control/{shard}/{resource}/{id:int}", self.change_record, methods=["PATCH"]),
        ]

    async def health(self, _request: Request) -> Response:
        clinics = [{"shard": one.account.shard, "patients": len(one.patients)} for one in self.clinics]
        return as_json({"status": "healthy", "clinics": clinics})

    async def show_settings(self, _request: Request) -> Response:
        return as_json(self.faults.shown())

    async def change_settings(self, request: Request) -> Response:
        try:
            self.faults.change(await _body(request))
        except ValueError as error:
            raise RefusalError(_unprocessable(str(error))) from error
        return as_json(self.faults.shown())

    async def add_record(self, request: Request) -> Response:
        """Identity and times are filled in where they are not given."""
        clinic, resource = self._target(request)
        given = await _body(request)
        now = int(time.time())
        values = {"id": time.time_ns(), "created_at": now, "updated_at": now} | _columns(resource, given)
        if resource is INDIVIDUAL_APPOINTMENTS and isinstance(starts_at := values.get("starts_at"), int):
            values.setdefault("ends_at", starts_at + _HALF_AN_HOUR)
        if missing := missing_columns(resource.record, values):
            raise RefusalError(_unprocessable(f"needed as well: {', '.join(missing)}"))
        record = resource.record(**values)
        resource.table(clinic).put(record)
        return as_json(resource.render(record, base_address(request), clinic), 201)

    async def change_record(self, request: Request) -> Response:
        """`updated_at` becomes now unless it is given; null is a value, an absent key changes nothing."""
        clinic, resource = self._target(request)
        table = resource.table(clinic)
        record = table.get(request.path_params["id"])
        if record is None:
            raise RefusalError(no_such_record())
        changes = {"updated_at": int(time.time())} | _columns(resource, await _body(request))
        if "id" in changes:
            raise RefusalError(_unprocessable("an id never changes"))
        for column, value in changes.items():
            setattr(record, column, value)
        table.put(record)
        return as_json(resource.render(record, base_address(request), clinic))

    def _target(self, request: Request) -> tuple[Clinic, Resource]:
        """Where two clinics share a shard, `?key=` says which; without it the first is meant."""
        shard, key = request.path_params["shard"], request.query_params.get("key")
        clinics = (one for one in self.clinics if one.account.shard == shard and key in {None, one.account.key})
        clinic = next(clinics, None)
        resource = next((one for one in RESOURCES if one.name == request.path_params["resource"]), None)
        if clinic is None or resource is None:
            raise RefusalError(no_such_record())
        return clinic, resource


def _columns(resource: Resource, given: dict[str, object]) -> dict[str, object]:
    try:
        return from_json(resource.record, given)
    except ColumnError as error:
        raise RefusalError(_unprocessable(str(error))) from error


async def _body(request: Request) -> dict[str, object]:
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise RefusalError(_unprocessable("the body is not JSON")) from error
    if not isinstance(body, dict):
        raise RefusalError(_unprocessable("the body is not a JSON object"))
    return body


def _unprocessable(message: str) -> Response:
    return as_json({"message": message}, 422)
