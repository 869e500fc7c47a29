"""How the emulator behaves: settings, switches, faults, changes; and what it has seen."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.routing import Route

from cliniko_emulator.answers import Answer, RefusalError, as_json, no_such_record
from cliniko_emulator.changes.plan import plan
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.control.body import body, understood
from cliniko_emulator.faults.faults import Faults
from cliniko_emulator.requests import Requests
from cliniko_emulator.settings import Settings


@dataclass(frozen=True)
class Behaviour:
    cliniko: Cliniko
    faults: Faults
    settings: Settings
    requests: Requests

    def routes(self) -> list[Route]:
        return [
            Route("/_control/health", self.health, methods=["GET"]),
            Route("/_control/settings", self.show_settings, methods=["GET"]),
            Route("/_control/settings", self.change_settings, methods=["PATCH"]),
            Route("/_control/switches", self.show_switches, methods=["GET"]),
            Route("/_control/switches", self.change_switches, methods=["PATCH"]),
            Route("/_control/faults", self.show_faults, methods=["GET"]),
            Route("/_control/faults", self.order_fault, methods=["POST"]),
            Route("/_control/faults", self.clear_faults, methods=["DELETE"]),
            Route("/_control/faults/{id:int}", self.clear_faults, methods=["DELETE"]),
            Route("/_control/changes", self.make_change, methods=["POST"]),
            Route("/_control/requests", self.show_requests, methods=["GET"]),
            Route("/_control/requests", self.reset_requests, methods=["DELETE"]),
        ]

    async def health(self, _request: Request) -> Answer:
        clinics = [{"shard": one.account.shard, "patients": len(one.patients)} for one in self.cliniko.clinics]
        return as_json({"status": "healthy", "clinics": clinics})

    async def show_settings(self, _request: Request) -> Answer:
        return as_json(self.settings.shown())

    async def change_settings(self, request: Request) -> Answer:
        wanted = await body(request)
        understood(lambda: self.settings.change(wanted))
        return as_json(self.settings.shown())

    async def show_switches(self, _request: Request) -> Answer:
        return as_json(self.cliniko.switches.shown())

    async def change_switches(self, request: Request) -> Answer:
        wanted = await body(request)
        self.cliniko.switches = understood(lambda: self.cliniko.switches.changed(wanted))
        return as_json(self.cliniko.switches.shown())

    async def show_faults(self, _request: Request) -> Answer:
        return as_json({"faults": [fault.shown() for fault in self.faults]})

    async def order_fault(self, request: Request) -> Answer:
        wanted = await body(request)
        return as_json(understood(lambda: self.faults.order(wanted)).shown(), 201)

    async def clear_faults(self, request: Request) -> Answer:
        if not self.faults.clear(request.path_params.get("id")):
            raise RefusalError(no_such_record())
        return Answer(204)

    async def make_change(self, request: Request) -> Answer:
        wanted = await body(request)
        return as_json({"changed": understood(lambda: plan(wanted, self.cliniko)())})

    async def show_requests(self, _request: Request) -> Answer:
        return as_json(self.requests.shown())

    async def reset_requests(self, _request: Request) -> Answer:
        self.requests.reset()
        return Answer(204)
