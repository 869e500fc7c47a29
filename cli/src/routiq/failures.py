class ReportedError(Exception):
    """Something a person has to act on; `str()` is the whole message, shown without a traceback."""

    exit_status = 1


class UsageError(ReportedError):
    """The request cannot be followed as the settings stand."""

    exit_status = 2
