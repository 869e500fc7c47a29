"""What stands before every API request: a user agent, a key of this shard, the rate limit, and the ordered faults."""

import asyncio
import base64
import binascii
from collections.abc import Iterable

from starlette.requests import Request

from cliniko_emulator import answers
from cliniko_emulator.accounts import split_key
from cliniko_emulator.answers import RefusalError
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.faults import Faults
from cliniko_emulator.limits import RateLimit


class Gate:
    def __init__(self, clinics: Iterable[Clinic], faults: Faults) -> None:
        self._clinics = {(clinic.account.shard, clinic.account.secret): clinic for clinic in clinics}
        self._faults = faults
        self._limit = RateLimit()

    async def admit(self, request: Request) -> Clinic:
        """The clinic of the key that came with the request; raises RefusalError with the answer otherwise."""
        if self._faults.latency_ms:
            await asyncio.sleep(self._faults.latency_ms / 1000)
        if failure := self._faults.failure():
            raise RefusalError(failure)
        if not request.headers.get("user-agent", "").strip():
            raise RefusalError(answers.user_agent_required())
        clinic = self._clinic(request.path_params["shard"], _user_name(request.headers.get("authorization", "")))
        if clinic is None:
            raise RefusalError(answers.unauthorized())
        if reset := self._limit.refused_until(clinic.account.key, self._faults.rate_limit):
            raise RefusalError(answers.too_many_requests(reset))
        return clinic

    def _clinic(self, shard: str, user_name: str) -> Clinic | None:
        """A shard knows its own accounts only; the suffix is optional, but must not name another shard."""
        secret, named = split_key(user_name)
        return self._clinics.get((shard, secret)) if named in {None, shard} else None


def _user_name(authorization: str) -> str:
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
