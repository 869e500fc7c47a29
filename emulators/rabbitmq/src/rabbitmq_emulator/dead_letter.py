"""What RabbitMQ writes into a message that dies in a queue, and how it stops one that dies in circles."""

from datetime import UTC, datetime

from pamqp.common import FieldTable

from rabbitmq_emulator.message import Message

REJECTED = "rejected"
EXPIRED = "expired"
MAXLEN = "maxlen"
DELIVERY_LIMIT = "delivery_limit"


def dead_lettered(message: Message, queue: str, reason: str, exchange: str, routing_key: str | None) -> Message:
    """The message as it is published to `exchange`: without its expiration, so that it does not expire again."""
    header = message.header_with(headers=_headers(message, queue, reason), expiration=None)
    key = message.routing_key if routing_key is None else routing_key
    return Message.received(exchange, key, header, message.body)


def dies_in_circles(message: Message, queue: str) -> bool:
    """The message was in `queue` before, and no client has rejected it since: nothing would ever end the round."""
    for death in _deaths(message.headers):
        if death.get("reason") == REJECTED:
            return False
        if death.get("queue") == queue:
            return True
    return False


def _headers(message: Message, queue: str, reason: str) -> FieldTable:
    headers = dict(message.headers)
    deaths = _deaths(headers)
    if not deaths:
        headers |= {
            "x-first-death-reason": reason,
            "x-first-death-queue": queue,
            "x-first-death-exchange": message.exchange,
        }
    again = next((death for death in deaths if (death.get("queue"), death.get("reason")) == (queue, reason)), None)
    others = [death for death in deaths if death is not again]
    newest = _first_death(message, queue, reason) if again is None else _counted(again)
    headers["x-death"] = [newest, *others]
    return headers


def _first_death(message: Message, queue: str, reason: str) -> FieldTable:
    death: FieldTable = {
        "count": 1,
        "reason": reason,
        "queue": queue,
        "time": datetime.now(UTC),
        "exchange": message.exchange,
        "routing-keys": [message.routing_key],
    }
    if message.properties.expiration:
        death["original-expiration"] = message.properties.expiration
    return death


def _counted(death: FieldTable) -> FieldTable:
    count = death.get("count")
    return {**death, "count": count + 1 if isinstance(count, int) else 1}


def _deaths(headers: FieldTable) -> list[FieldTable]:
    deaths = headers.get("x-death")
    return [death for death in deaths if isinstance(death, dict)] if isinstance(deaths, list) else []
