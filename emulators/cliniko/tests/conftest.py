import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn

from cliniko_emulator.accounts import Account
from cliniko_emulator.app import create_app

HARBOUR = Account("MS0-test-harbour-au4", seed=11, patients=400)
RIDGE = Account("MS0-test-ridge-uk1", seed=12, patients=60)

Start = Callable[..., str]


@contextmanager
def served(*accounts: Account, rate_limit: int = 1_000_000) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = create_app(accounts, rate_limit=rate_limit)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """An emulator of two clinics that no test changes."""
    with served(HARBOUR, RIDGE) as url:
        yield url


@pytest.fixture(scope="session")
def harbour(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{address}/au4/v1", auth=(HARBOUR.key, "")) as client:
        yield client


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts an emulator of the test's own: `start(account, ..., rate_limit=...)` gives its address."""
    with ExitStack() as stack:
        yield lambda *accounts, **options: stack.enter_context(served(*accounts, **options))


@pytest.fixture
def own(start: Start) -> Iterator[httpx.Client]:
    """A client of a small clinic, served at /au4/v1, that the test may change."""
    with httpx.Client(base_url=start(Account("MS0-own-au4", seed=5, patients=40)), auth=("MS0-own-au4", "")) as client:
        yield client


@dataclass(frozen=True)
class Steered:
    """A small clinic of the test's own, and the control endpoint beside it."""

    api: httpx.Client
    control: httpx.Client

    def order(self, effect: str, **members: Any) -> int:
        """Switches a fault on, and gives its number."""
        answer = self.control.post("/faults", json={"effect": effect, **members})
        assert answer.status_code == 201, answer.text
        return int(answer.json()["id"])

    def change(self, change: str, **members: Any) -> list[str]:
        """Makes a change at once, and gives the ids it touched."""
        answer = self.control.post("/changes", json={"change": change, **members})
        assert answer.status_code == 200, answer.text
        changed: list[str] = answer.json()["changed"]
        return changed

    def switch(self, **positions: Any) -> None:
        self.control.patch("/switches", json=positions).raise_for_status()

    def page(self, path: str = "patients", **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.api.get(path, params=parameters).raise_for_status().json()
        return answer


@pytest.fixture
def steered(start: Start) -> Iterator[Steered]:
    address = start(Account("MS0-own-au4", seed=5, patients=40))
    with (
        httpx.Client(base_url=f"{address}/au4/v1", auth=("MS0-own-au4", ""), timeout=10) as api,
        httpx.Client(base_url=f"{address}/_control") as control,
    ):
        yield Steered(api, control)
