"""`routiq init` as a person runs it, in an empty directory."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

from chassis.settings import Settings
from sync.adapters.vault import Vault

ROUTIQ = str(Path(sys.executable).with_name("routiq"))
ANSWERS = ("--domain", "api.example.com", "--email", "ops@example.com", "--clerk-issuer", "https://clerk.example.com")
LEFT_TO_A_PERSON = {"CLERK_SECRET_KEY", "CLERK_WEBHOOK_SECRET", "PLATFORM_ORGANIZATION_ID"}


def init(place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "200"}
    return subprocess.run(
        [ROUTIQ, "init", *options], cwd=place, env=environment, capture_output=True, text=True, check=False
    )


def written(place: Path) -> dict[str, str]:
    lines = (place / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_secret_is_made_strong_and_different(tmp_path: Path) -> None:
    assert init(tmp_path, *ANSWERS).returncode == 0
    values = written(tmp_path)
    passwords = [value for name, value in values.items() if name.endswith("_PASSWORD")]
    assert len(passwords) == len(set(passwords)) == 13
    assert all(re.fullmatch("[0-9a-f]{48}", password) for password in passwords)
    assert values["DOMAIN"] == "api.example.com"
    assert values["ACME_EMAIL"] == "ops@example.com"
    assert {name for name, value in values.items() if not value} == LEFT_TO_A_PERSON


def test_the_services_take_the_keys(tmp_path: Path) -> None:
    init(tmp_path, *ANSWERS)
    values = written(tmp_path)
    Settings(identity_key=values["IDENTITY_KEY"])
    vault = Vault(values["CREDENTIALS_KEYS"])
    assert vault.open(vault.seal("key", "org_a"), "org_a") == "key"


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    init(tmp_path, *ANSWERS)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_names_are_shown_and_no_value(tmp_path: Path) -> None:
    said = init(tmp_path, *ANSWERS)
    values = written(tmp_path)
    assert all(name in said.stdout for name in values)
    assert "Fill in CLERK_SECRET_KEY, CLERK_WEBHOOK_SECRET, PLATFORM_ORGANIZATION_ID" in said.stdout
    assert "docker compose up" in said.stdout
    secret = [value for name, value in values.items() if value and name not in ("DOMAIN", "ACME_EMAIL", "CLERK_ISSUER")]
    assert not any(value in said.stdout + said.stderr for value in secret)


def test_it_never_overwrites(tmp_path: Path) -> None:
    init(tmp_path, *ANSWERS)
    before = (tmp_path / ".env").read_text()
    again = init(tmp_path, *ANSWERS)
    assert again.returncode == 1
    assert "--update" in again.stderr
    assert (tmp_path / ".env").read_text() == before


def test_update_adds_what_is_missing_and_touches_nothing_else(tmp_path: Path) -> None:
    kept = "# mine\nexport IDENTITY_KEY=old-and-known\nDOMAIN=own.example.com"
    (tmp_path / ".env").write_text(kept)
    said = init(tmp_path, "--update")
    assert said.returncode == 0
    text = (tmp_path / ".env").read_text()
    assert text.startswith(f"{kept}\n")
    assert text.count("IDENTITY_KEY=") == text.count("\nDOMAIN=") == 1
    assert written(tmp_path)["POSTGRES_PASSWORD"]
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert "has every key" in init(tmp_path, "--update").stdout
    assert (tmp_path / ".env").read_text() == text


def test_an_answer_that_the_file_has_already_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DOMAIN=own.example.com\n")
    said = init(tmp_path, "--update", "--domain", "other.example.com")
    assert said.returncode == 2
    assert (tmp_path / ".env").read_text() == "DOMAIN=own.example.com\n"


def test_an_answer_that_would_become_something_else_in_the_file_is_refused(tmp_path: Path) -> None:
    for answer in ("a b.example.com", "x\nPOSTGRES_PASSWORD=known", "$HOME"):
        assert init(tmp_path, "--domain", answer).returncode == 2
    assert init(tmp_path, "--clerk-issuer", "http://clerk.example.com").returncode == 2
    assert not (tmp_path / ".env").exists()
