"""What Prometheus learns of the requests to Cliniko: over all clinics, none of them named."""

from prometheus_client import Counter, Histogram

OUTCOMES = ("answered", "limited", "unauthorized", "forbidden", "refused", "failed", "unreachable")
OF_STATUS = {200: "answered", 429: "limited", 401: "unauthorized", 403: "forbidden"}

REQUESTS = Counter("routiq_cliniko_requests_total", "Requests to Cliniko, by what came of them.", ["outcome"])
SECONDS = Histogram(
    "routiq_cliniko_request_seconds",
    "Until Cliniko had answered.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
BUDGET = Histogram(
    "routiq_cliniko_budget_used_ratio",
    "The part of its limit an account had used in the last minute, each time that requests asked for room.",
    buckets=(0.1, 0.25, 0.5, 0.75, 0.9, 0.97, 1),
)
TURN = Histogram(
    "routiq_cliniko_turn_seconds",
    "A request's wait for room within the limit of its account.",
    buckets=(0.01, 0.1, 0.5, 1, 5, 15, 60, 300),
)

for each in OUTCOMES:
    REQUESTS.labels(each)


def outcome_of(status: int) -> str:
    """The class of an HTTP status."""
    return OF_STATUS.get(status) or ("failed" if status >= 500 else "refused")
