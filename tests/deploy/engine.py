"""docker-compose.yml with the demo, in containers, as the system that end-to-end tests ask: `make test-compose`."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest
from testcontainers.compose import DockerCompose
from tests.conftest import System
from tests.deploy import variables
from tests.deploy.composition import WORKSPACE

from routiq.ports import free_port

REQUIRED = "ROUTIQ_REQUIRE_ENGINE"
NOT_HERE = "needs the processes that `make up` starts"
OPERATORS = ("--org", "org_platform_operators", "--role", "admin")
TOKEN = """
import json, sys, urllib.request as web
_, org, _, role = sys.argv[1:]
body = json.dumps({"org": org, "role": role, "expires_in": 3600}).encode()
asked = web.Request("http://clerk:8011/tokens", body, {"content-type": "application/json"})
print(json.load(web.urlopen(asked))["token"])
"""


class Settings(dict[str, str]):
    """A test that asks for a port or a file of `make up` is left out."""

    def __missing__(self, name: str) -> NoReturn:
        pytest.skip(f"{NOT_HERE}: {name}")


@dataclass
class Composed(System):
    """`environment` is what `docker compose` is run with. Of the command there is `token` only."""

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        name, *options = arguments
        if name != "token":
            pytest.skip(f"{NOT_HERE}: routiq {name}")
        wanted = OPERATORS if options == ["--operator"] else options
        return self.compose("exec", "-T", "clerk", "python", "-c", TOKEN, *wanted, check=check)

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`docker compose ...`."""
        command = ["docker", "compose", *arguments]
        done = subprocess.run(
            command, cwd=WORKSPACE, env=self.environment, capture_output=True, text=True, check=False, timeout=1500
        )
        assert done.returncode == 0 or not check, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def process(self, name: str) -> dict[str, Any]:
        pytest.skip(f"{NOT_HERE}: the process {name}")

    def logs(self, name: str) -> str:
        """What a service has said."""
        return self.compose("logs", "--no-log-prefix", name).stdout


@contextmanager
def running() -> Iterator[Composed]:
    """Built and up, under a name of its own; its volumes go at the end."""
    _need_an_engine()
    home = Path(tempfile.mkdtemp(prefix="routiq-composed-"))
    ports = {"GATEWAY_PORT": str(free_port()), "CLINIKO_PORT": str(free_port())}
    by_hand = {"SCHEDULE_ENABLED": "false", "CLINIKO_REQUESTS_PER_MINUTE": "100000"}  # as tests/conftest.py has them
    settings = home / "env"
    given = {**variables.made(), **ports, **by_hand}
    settings.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    of_compose = {
        "COMPOSE_PROJECT_NAME": "routiq-test",  # not that of a Routiq that somebody runs here
        "COMPOSE_FILE": f"docker-compose.yml{os.pathsep}tests/deploy/published.yml",
        "COMPOSE_ENV_FILES": str(settings),
    }
    asked_at = {"PORT": ports["GATEWAY_PORT"], "CLINIKO_PORT": ports["CLINIKO_PORT"]}
    try:
        with pytest.MonkeyPatch.context() as environment:
            for name, value in of_compose.items():
                environment.setenv(name, value)
            with DockerCompose(WORKSPACE, build=True, wait=True):
                started = Composed(home, Settings({**os.environ, **asked_at}))
                started.cliniko_settings(rate_limit=100_000)
                yield started
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _need_an_engine() -> None:
    for question in (["docker", "compose", "version"], ["docker", "info"]):
        if shutil.which("docker") and not subprocess.run(question, capture_output=True, check=False).returncode:
            continue
        missing = f"`{' '.join(question)}` fails: this needs a machine with a Docker engine"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(missing)
        pytest.skip(missing)
