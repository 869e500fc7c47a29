"""The two kinds of AMQP error, and the ones RabbitMQ raises most."""

SHORT_STRING_BYTES = 255


class AmqpError(Exception):
    """A reply code and the text the client is shown."""

    def __init__(self, code: int, text: str) -> None:
        text = text.encode()[:SHORT_STRING_BYTES].decode(errors="ignore")
        super().__init__(text)
        self.code = code
        self.text = text


class SoftError(AmqpError):
    """Closes the channel it happened on; the connection lives."""


class HardError(AmqpError):
    """Closes the connection it happened on; the broker lives."""


def not_found(kind: str, name: str, vhost: str) -> SoftError:
    return SoftError(404, f"NOT_FOUND - no {kind} '{name}' in vhost '{vhost}'")


def access_refused(why: str) -> SoftError:
    return SoftError(403, f"ACCESS_REFUSED - {why}")


def precondition_failed(why: str) -> SoftError:
    return SoftError(406, f"PRECONDITION_FAILED - {why}")


def resource_locked(queue: str, vhost: str) -> SoftError:
    return SoftError(
        405,
        f"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{queue}' in vhost '{vhost}'. "
        "It could be originally declared on another connection or the exclusive property value "
        "does not match that of the original declaration.",
    )


def not_implemented(what: str) -> HardError:
    return HardError(540, f"NOT_IMPLEMENTED - {what}")


def frame_error(why: str) -> HardError:
    return HardError(501, f"FRAME_ERROR - {why}")
