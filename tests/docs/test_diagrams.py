"""The documents' diagrams are such as a reader's browser can draw."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from tests.clients.conftest import NODE, Workshop, installed
from tests.docs.test_documents import PAGES

DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def mermaid(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return installed(Path(__file__).with_name("mermaid"), tmp_path_factory.mktemp("mermaid") / "package")


def test_every_diagram_can_be_drawn(mermaid: Workshop) -> None:
    diagrams = [diagram for page in PAGES for diagram in DIAGRAM.findall(page.read_text())]
    assert len(diagrams) >= 5
    done = _parsed(mermaid, diagrams)
    assert done.returncode == 0, done.stderr


def test_a_broken_diagram_would_be_found(mermaid: Workshop) -> None:
    assert "Parse error" in _parsed(mermaid, ["flowchart LR\n  a -->"]).stderr


def _parsed(mermaid: Workshop, diagrams: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [NODE, "check.mjs"],
        cwd=mermaid.home,
        input=json.dumps(diagrams),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
