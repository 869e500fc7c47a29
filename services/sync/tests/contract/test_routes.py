from contracts.routes import received_by
from sync.entrypoints.consumers import consumers


def test_the_service_hears_exactly_what_the_map_says() -> None:
    assert {s.queue for s in consumers.subscriptions} == {route.queue("sync") for route in received_by("sync")}
