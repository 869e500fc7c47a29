"""Circuit breakers, and how each stands for who looks at the metrics."""

from prometheus_client import Gauge

from gateway.domain.breaker import Breaker

STATE = Gauge("routiq_gateway_breaker_state", "0 closed, 1 trying, 2 open: by whom it guards.", ["service"])


def breaker_for(service: str) -> Breaker:
    """A closed breaker for calls to `service`."""
    breaker = Breaker()
    STATE.labels(service).set_function(lambda: breaker.state)
    return breaker
