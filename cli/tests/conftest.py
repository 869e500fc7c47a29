"""Programs that cost nothing: a Python that sleeps, or fails."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from routiq.processes import Program
from routiq.state import StateDirectory

MakeProgram = Callable[..., Program]


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    directory = StateDirectory(tmp_path / ".routiq")
    directory.create()
    return directory


@pytest.fixture
def program() -> MakeProgram:
    """`program(name, script)`: sleeps unless the script says otherwise."""

    def make(name: str, script: str = "import time; time.sleep(600)", **options: Any) -> Program:
        return Program(name=name, command=(sys.executable, "-c", script), environment=dict(os.environ), **options)

    return make
