"""The commands that documents show, as a person would give them."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import System

from routiq.servers.binaries import find

BASH = shutil.which("bash") or "bash"
BLOCK = re.compile(r"^( *)```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Shell:
    """An operator's, in the directory in which `routiq up` was said."""

    system: System
    preparation: str
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the operator has set."""

    def run(self, block: str, names: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """The block as it stands, but for the names that an operator fills in."""
        for name, value in names.items():
            block = re.sub(rf"(?<![A-Z$_]){re.escape(name)}(?![A-Z_])", value, block)
        return subprocess.run(
            [BASH, "-euc", self._of_this_system(self.preparation + block)],
            cwd=self.system.home,
            env={**self.system.environment, **self._environment()},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def _of_this_system(self, commands: str) -> str:
        ports = {"8000": "PORT", "8001": "PATIENTS_PORT", "5432": "POSTGRES_PORT"}
        for usual, name in ports.items():
            commands = commands.replace(f"127.0.0.1:{usual}", f"127.0.0.1:{self.system.environment[name]}")
        return commands

    def _environment(self) -> dict[str, str]:
        programs = find(self.system.home / "nothing", None, "embedded").directory  # where the machine has none
        return {"PATH": f"{self.system.environment['PATH']}:{programs}", **self.settings}


def blocks(page: Path) -> list[str]:
    """A page's commands, in their order."""
    found = BLOCK.findall(page.read_text())
    return ["".join(line.removeprefix(indent) for line in block.splitlines(keepends=True)) for indent, block in found]
