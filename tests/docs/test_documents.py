"""What the documents point at is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WHERE = (
    "*.md",
    "docs/**/*.md",
    "deploy/**/*.md",
    "services/*/README.md",
    "emulators/*/README.md",
    "clients/*/README.md",
)
PAGES = sorted(page for pattern in WHERE for page in ROOT.glob(pattern))
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")
TEST = re.compile(r"`((?:tests|services|libs|cli)/[\w/]+\.py)(?:::(\w+))?`")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text()):
        led = (page.parent / target).resolve() if target else page
        assert led.exists(), target
        assert not anchor or anchor in _anchors(led), f"{target}#{anchor}"


@each_page
def test_every_test_and_source_that_is_named_is_there(page: Path) -> None:
    for file, test in TEST.findall(page.read_text()):
        assert (ROOT / file).exists(), file
        assert not test or f"def {test}(" in (ROOT / file).read_text(), f"{file}::{test}"


def test_a_wrong_link_and_a_wrong_test_would_be_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[there](nowhere.md)")
    with pytest.raises(AssertionError):
        test_every_link_leads_somewhere(page)
    page.write_text("`tests/docs/test_documents.py::test_that_is_not_there`")
    with pytest.raises(AssertionError):
        test_every_test_and_source_that_is_named_is_there(page)


def test_every_threat_has_a_test_that_shows_what_stands_against_it() -> None:
    rows = re.findall(r"^\| (?!Threat|-)(.+) \|$", (ROOT / "docs" / "security.md").read_text(), re.MULTILINE)
    assert len(rows) > 10
    assert [threat for threat, _, shown in (row.split(" | ") for row in rows) if not TEST.search(shown)] == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
