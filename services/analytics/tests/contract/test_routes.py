from analytics.entrypoints.consumers import consumers
from contracts.routes import received_by


def test_analytics_consumes_exactly_what_the_map_says() -> None:
    declared = {route.queue("analytics") for route in received_by("analytics")}
    assert {subscription.queue for subscription in consumers.subscriptions} == declared
