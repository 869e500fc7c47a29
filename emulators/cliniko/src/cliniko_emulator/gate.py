"""What stands before every API request: a user agent, a key of this shard, and the rate limit."""

from cliniko_emulator import answers
from cliniko_emulator.answers import Answer, RefusalError
from cliniko_emulator.call import Call
from cliniko_emulator.clinic import Clinic
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.limits import RateLimit
from cliniko_emulator.settings import Settings


class Gate:
    def __init__(self, cliniko: Cliniko, settings: Settings) -> None:
        self._cliniko = cliniko
        self._settings = settings
        self._limit = RateLimit()

    def admit(self, call: Call) -> Clinic:
        """The clinic of the key that came with the request; raises RefusalError with the answer otherwise."""
        switches = self._cliniko.switches
        agent = call.header(b"user-agent")
        if not agent or (switches.require_contact and "@" not in agent):
            raise RefusalError(answers.user_agent_required())
        if switches.require_accept and "json" not in call.header(b"accept"):
            raise RefusalError(Answer(406))
        clinic = self._cliniko.clinic_of(call.shard or "", call.user_name)
        if clinic is None:
            raise RefusalError(answers.unauthorized(switches.unauthorized_body))
        limit = self._settings.rate_limit
        if until := self._limit.refused_until(clinic.account.key, limit, switches.rate_window):
            raise RefusalError(answers.too_many_requests(until + switches.clock_skew_seconds))
        return clinic
