"""`routiq init`: a `.env` for `docker compose` with secrets that nobody has seen."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from routiq.console import out
from routiq.failures import ReportedError, UsageError
from routiq.keys import new_key

ENV = Path(".env")
WITH_A_DATABASE = ("PATIENTS", "SYNC", "ANALYTICS", "ADMIN")
WITH_THE_BROKER = (*WITH_A_DATABASE, "GATEWAY")


@dataclass(frozen=True)
class Answers:
    """What only a person knows, None where they have not said it."""

    domain: str | None = None
    email: str | None = None
    clerk_issuer: str | None = None


@dataclass(frozen=True)
class Entry:
    """A key of the file. One without a value is left for a person to fill in."""

    name: str
    what: str
    value: str

    @property
    def empty(self) -> bool:
        return not self.value


def password() -> str:
    """Letters and digits: it goes into addresses unquoted. 192 bits."""
    return secrets.token_hex(24)


def entries(answers: Answers) -> list[Entry]:
    """The whole file, with new secrets."""
    return [*_of_the_place(answers), *_of_the_servers(), *_of_the_services(), *_of_clerk(answers)]


def write(path: Path, answers: Answers, *, update: bool) -> list[Entry]:
    """Make the file, or add what an existing one has not; returns what was written.

    Raises ReportedError for an existing file unless it is to be updated, UsageError for an answer that cannot stand in
    it, or one that the file has already.
    """
    _check(answers)
    if path.exists() and not update:
        raise ReportedError(
            f"{path} exists, and its secrets open what is stored already: it is never overwritten. "
            "`routiq init --update` adds the keys it has not."
        )
    known = _names(path.read_text()) if path.exists() else set()
    missing = [entry for entry in entries(answers) if entry.name not in known]
    _refuse_what_is_known(answers, known)
    if missing:
        _append(path, "".join(f"\n# {entry.what}\n{entry.name}={entry.value}\n" for entry in missing))
    return missing


def show(path: Path, written: list[Entry]) -> None:
    """Names only: what a terminal shows may stay in its history."""
    if not written:
        out.print(f"{path} has every key; nothing was changed.")
        return
    table = Table("Written", "What it is")
    for entry in written:
        table.add_row(f"{entry.name} (empty)" if entry.empty else entry.name, entry.what)
    out.print(table)
    if empty := [entry.name for entry in written if entry.empty]:
        out.print(f"Fill in {', '.join(empty)} in {path}; docs/secrets.md says where each comes from.")
    out.print("Next: docker compose up --detach --wait")


def _of_the_place(answers: Answers) -> list[Entry]:
    return [
        Entry("DOMAIN", "Under which name the gateway is reached", answers.domain or ""),
        Entry("ACME_EMAIL", "Whom Let's Encrypt writes to about certificates", answers.email or ""),
    ]


def _of_the_servers() -> list[Entry]:
    made = {
        "POSTGRES_PASSWORD": "PostgreSQL's owner, for migrations and backups only",
        "RABBITMQ_ADMIN_PASSWORD": "RabbitMQ's user administrator, whom no service is",
        "VALKEY_PASSWORD": "Valkey, where gateways count requests",
        "GRAFANA_ADMIN_PASSWORD": "Grafana, user admin",
    }
    return [Entry(name, what, password()) for name, what in made.items()]


def _of_the_services() -> list[Entry]:
    databases = [
        Entry(f"{name}_DB_PASSWORD", f"PostgreSQL's role routiq_{name.lower()}", password()) for name in WITH_A_DATABASE
    ]
    brokers = [
        Entry(f"{name}_AMQP_PASSWORD", f"RabbitMQ's user routiq_{name.lower()}", password()) for name in WITH_THE_BROKER
    ]
    keys = [
        Entry("IDENTITY_KEY", "With which the gateway vouches for callers", secrets.token_hex(32)),
        Entry("CREDENTIALS_KEYS", "Seals the clinics' API keys; keep a copy elsewhere", new_key()),
    ]
    return [*databases, *brokers, *keys]


def _of_clerk(answers: Answers) -> list[Entry]:
    return [
        Entry("CLERK_ISSUER", "Who signs the session tokens: Clerk's Frontend API URL", answers.clerk_issuer or ""),
        Entry("CLERK_SECRET_KEY", "From Clerk: a person's other organizations (sk_…)", ""),
        Entry("CLERK_WEBHOOK_SECRET", "From Clerk: its webhooks are believed (whsec_…)", ""),
        Entry("PLATFORM_ORGANIZATION_ID", "The organization whose admins operate the platform (org_…)", ""),
    ]


def _check(answers: Answers) -> None:
    for name, value in _given(answers).items():
        if not value.isprintable() or set(value) & set(" \"'$#\\"):
            raise UsageError(f"{name} cannot be written into a .env: a space, a quote, #, $ or \\ is in it.")
    if answers.clerk_issuer and not answers.clerk_issuer.startswith("https://"):
        raise UsageError("--clerk-issuer must be an address that begins with https://.")


def _refuse_what_is_known(answers: Answers, known: set[str]) -> None:
    if given := sorted(known.intersection(_given(answers))):
        raise UsageError(f"{', '.join(given)}: in the file already. Change it there.")


def _given(answers: Answers) -> Mapping[str, str]:
    named = {"DOMAIN": answers.domain, "ACME_EMAIL": answers.email, "CLERK_ISSUER": answers.clerk_issuer}
    return {name: value for name, value in named.items() if value}


def _names(text: str) -> set[str]:
    lines = (line.strip().removeprefix("export ") for line in text.splitlines())
    return {line.partition("=")[0].strip() for line in lines if "=" in line and not line.startswith("#")}


def _append(path: Path, text: str) -> None:
    """Whole or not at all, and nobody else's to read at any moment."""
    before = path.read_text() if path.exists() else "# Secrets: see docs/secrets.md. Keep a copy where backups are.\n"
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_text(before + ("" if before.endswith("\n") else "\n") + text)
    new.replace(path)
