"""The pages for who is called: each alert has one, and what a page names is there."""

import re
from pathlib import Path

import pytest
from tests.watching.dashboards import FILES, dashboard
from tests.watching.prometheus import DEPLOYED
from typer.core import TyperGroup
from typer.main import get_command

from routiq.main import app

ROOT = DEPLOYED.parent
RUNBOOKS = {page.stem: page.read_text() for page in (ROOT / "docs" / "runbooks").glob("*.md") if page.stem != "README"}
ALERTS = re.findall(r"- alert: (\w+)", (DEPLOYED / "prometheus" / "rules.yml").read_text())
HEADINGS = ["What it means", "How to see it", "What to do", "How to know it is over"]
PANELS = {panel["title"] for file in FILES for panel in dashboard(file)["panels"]}
SOURCES = "\n".join(
    path.read_text() for folder in ("libs", "services") for path in Path(ROOT, folder).glob("*/src/**/*.py")
)

each_page = pytest.mark.parametrize("text", RUNBOOKS.values(), ids=RUNBOOKS.keys())


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert set(RUNBOOKS) == set(ALERTS)
    for alert, text in RUNBOOKS.items():
        assert text.startswith(f"# {alert}\n")


@each_page
def test_a_page_says_what_it_means_what_to_do_and_when_it_is_over(text: str) -> None:
    assert re.findall(r"^## (.+)", text, re.MULTILINE) == HEADINGS
    assert all(len(part.strip()) > 20 for part in text.split("## ")[1:])


@each_page
def test_alerts_and_panels_that_a_page_names_are_there(text: str) -> None:
    assert set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", text)) <= {*ALERTS, "ValidationError"}
    assert set(re.findall(r'"([A-Z][^"]+\?)"', text)) <= PANELS


@each_page
def test_log_lines_that_are_looked_for_are_written(text: str) -> None:
    for line in re.findall(r"""grep (?:-h )?'"?([^'"]+)""", text):
        assert line in SOURCES or line == "level", line


@each_page
def test_commands_of_routiq_are_there(text: str) -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert set(re.findall(r"\$ROUTIQ ([a-z-]+)", text)) <= set(group.commands)
