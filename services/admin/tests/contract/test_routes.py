from admin.entrypoints.consumers import consumers
from contracts.routes import received_by


def test_admin_consumes_exactly_what_the_map_says() -> None:
    declared = {route.queue("admin") for route in received_by("admin")}
    assert {subscription.queue for subscription in consumers.subscriptions} == declared
