import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest

Run = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def run() -> Iterator[Run]:
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "cliniko_emulator", *arguments]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return next(word for word in process.stdout.readline().split() if word.startswith("http://"))


def test_it_says_where_it_listens_serves_and_stops_cleanly_on_sigterm(run: Run) -> None:
    process = run("--port", "0", "--account", "MS0-a=b-eu1=3:20", "MS0-c-ca1=4:5", "--rate-limit", "2")
    address = address_of(process)
    statuses = [httpx.get(f"{address}/eu1/v1/patients", auth=("MS0-a=b-eu1", "")).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert httpx.get(f"{address}/ca1/v1/patients", auth=("MS0-c", "")).json()["patients"]
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=10)
    assert (process.returncode, output, errors) == (0, "", "")


def test_the_default_accounts_are_the_two_demo_clinics(run: Run) -> None:
    address = address_of(run("--port", "0"))
    assert [one["patients"] for one in httpx.get(f"{address}/_control/health").json()["clinics"]] == [650, 240]


def test_a_taken_port_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = run("--port", str(port))
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors == f"cliniko_emulator: port {port} on 127.0.0.1 is already in use\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(["--port", "0", "--account", "MS0-au4"], "KEY=SEED:PATIENTS"), (["--port", "70000"], "is not a port")],
)
def test_unreadable_arguments_are_refused_without_a_traceback(run: Run, arguments: list[str], complaint: str) -> None:
    process = run(*arguments)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert complaint in errors
    assert "Traceback" not in errors
