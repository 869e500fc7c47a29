"""Effects on the connection: late, never, torn off, cut short."""

from cliniko_emulator import connection
from cliniko_emulator.answers import Answer
from cliniko_emulator.call import Call
from cliniko_emulator.cliniko import Cliniko
from cliniko_emulator.connection import HungUp
from cliniko_emulator.faults.fault import Effect, Proceed


def delay(_cliniko: Cliniko) -> Effect:
    """The usual answer, after the fault's `delay_ms`."""

    async def effect(_call: Call, proceed: Proceed) -> Answer:
        return await proceed()

    return effect


def hang(_cliniko: Cliniko, *, seconds: float = 600) -> Effect:
    """No byte, until the client gives up or the time is over; then the connection is closed."""

    async def effect(call: Call, _proceed: Proceed) -> Answer:
        await connection.gone(call.receive, seconds)
        await connection.close(call.receive, call.send)
        raise HungUp

    return effect


def reset(_cliniko: Cliniko) -> Effect:
    async def effect(call: Call, _proceed: Proceed) -> Answer:
        await connection.reset(call.receive, call.send)
        raise HungUp

    return effect


def truncate(_cliniko: Cliniko, *, keep: float = 0.5) -> Effect:
    """The headers promise the whole body, this share of it comes."""

    async def effect(_call: Call, proceed: Proceed) -> Answer:
        answer = await proceed()
        answer.cut_after = int(len(answer.body) * keep)
        return answer

    return effect
