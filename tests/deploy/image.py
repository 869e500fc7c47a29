"""The images of deploy/Dockerfile without Docker: the same locks and packages, installed by the same commands."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.deploy.composition import OURS, SERVICES, WORKSPACE

from routiq.accounts import Account

ACCOUNT = Account(10001, 10001)
SERVICES_WITH_MIGRATIONS = SERVICES[1:]
LIBRARIES = ("libs/contracts", "libs/chassis")
EMULATORS = ("emulators/cliniko", "emulators/clerk", "emulators/rabbitmq")
DEMO = OURS[-3:]
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Images:
    """`services` holds what any of the services' images holds; `demo` the emulators and the command too."""

    root: Path
    """Takes the place of `/routiq`."""
    services: Path
    demo: Path

    @classmethod
    def build(cls, home: Path) -> "Images":
        images = cls(home / "routiq", home / "services", home / "demo")
        services = [f"services/{name}" for name in SERVICES]
        _install(images.services, "runtime", [*LIBRARIES, *services])
        _install(images.demo, "dev", [*LIBRARIES, "services/admin", *EMULATORS, "cli"])
        for name in SERVICES_WITH_MIGRATIONS:
            shutil.copytree(WORKSPACE / "services" / name / "migrations", images.root / "migrations" / name)
        shutil.copytree(WORKSPACE / "deploy" / "demo", images.root / "deploy" / "demo")
        return images

    def environment(self, container: str) -> dict[str, str]:
        """What the image itself says."""
        programs = (self.demo if container in DEMO else self.services) / "bin"
        return {"PATH": f"{programs}:/usr/bin:/bin", "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def interpreter(account: Account | None) -> Path | None:
    """A Python that the account can run: an environment's own may lie in the home of somebody else."""
    found = (Path(sys.executable).resolve(), Path(f"/usr/bin/python3.{sys.version_info.minor}"))
    return next((python for python in found if python.exists() and (not account or account.reaches(python))), None)


def _install(environment: Path, lock: str, packages: Iterable[str]) -> None:
    python = interpreter(ACCOUNT)
    assert python is not None
    _uv("venv", environment, "--python", python)
    _uv("pip", "sync", "--python", environment, "--require-hashes", WORKSPACE / "requirements" / f"{lock}.txt")
    _uv("pip", "install", "--python", environment, "--offline", "--no-deps", *(WORKSPACE / name for name in packages))


def _uv(*arguments: str | Path) -> None:
    subprocess.run([UV, *arguments, "--quiet"], check=True, cwd="/")
