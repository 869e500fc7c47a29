from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from routiq.plan import WITH_A_DATABASE, Plan, Servers
from routiq.processes import Program
from routiq.servers.binaries import Binaries
from routiq.servers.embedded_broker import EmbeddedBroker
from routiq.servers.postgres import Postgres
from routiq.settings import from_environment
from routiq.state import Secrets, StateDirectory

SECRETS = Secrets.generate(roles=WITH_A_DATABASE)
OUTSIDE = {
    "DATABASE_URL": "postgresql://owner:pw@db.example:5432/clinics",
    "AMQP_URL": "amqp://user:pw@mq.example/",
    "CLINIKO_API_URL": "https://api.{shard}.cliniko.com/v1",
    "CLERK_ISSUER": "https://clerk.example",
}


def plan(tmp_path: Path, given: Mapping[str, str] | None = None) -> dict[str, Program]:
    settings = from_environment(given or {})
    binaries = Binaries(Path("/opt/postgres/bin"), "18.1", "installed")
    postgres = Postgres(binaries, tmp_path, settings.ports["postgres"], SECRETS.owner_password, account=None)
    broker = EmbeddedBroker(tmp_path / "broker.sqlite", settings.ports["broker"], SECRETS.broker_password)
    servers = Servers(
        None if "DATABASE_URL" in settings.given else postgres, None if "AMQP_URL" in settings.given else broker
    )
    programs = Plan(settings, SECRETS, servers, StateDirectory(tmp_path)).programs()
    return {program.name: program for program in programs}


def test_with_nothing_given_everything_is_our_own(tmp_path: Path) -> None:
    ours = {"postgres", "broker", "cliniko", "clerk", "migrations"}
    assert set(plan(tmp_path)) == ours | {"gateway", *WITH_A_DATABASE}


def test_what_is_given_is_not_started(tmp_path: Path) -> None:
    assert set(plan(tmp_path, OUTSIDE)) == {"migrations", "gateway", *WITH_A_DATABASE}


def test_given_addresses_reach_the_services_that_need_them(tmp_path: Path) -> None:
    programs = plan(tmp_path, OUTSIDE)
    assert programs["migrations"].environment["DATABASE_URL"] == OUTSIDE["DATABASE_URL"]
    assert programs["sync"].environment["CLINIKO_API_URL"] == OUTSIDE["CLINIKO_API_URL"]
    assert programs["gateway"].environment["CLERK_JWKS_URL"] == "https://clerk.example/.well-known/jwks.json"
    assert {programs[name].environment["AMQP_URL"] for name in WITH_A_DATABASE} == {OUTSIDE["AMQP_URL"]}


@pytest.mark.parametrize("name", WITH_A_DATABASE)
def test_a_service_enters_the_database_as_itself(tmp_path: Path, name: str) -> None:
    url = urlsplit(plan(tmp_path, OUTSIDE)[name].environment["DATABASE_URL"])
    assert (url.username, url.password) == (f"routiq_{name}", SECRETS.role_passwords[name])
    assert (url.hostname, url.port, url.path) == ("db.example", 5432, "/clinics")


def test_the_gateway_holds_no_key_to_the_data(tmp_path: Path) -> None:
    own = "amqp://may-only-publish@rabbit.example.com"
    given = {**OUTSIDE, "CREDENTIALS_KEYS": "k1:c2VjcmV0", "GATEWAY_AMQP_URL": own}
    programs = plan(tmp_path, given)
    environment = programs["gateway"].environment
    assert not {"DATABASE_URL", "CREDENTIALS_KEYS", "CLINIKO_API_URL"} & set(environment)
    assert environment["AMQP_URL"] == own
    assert own not in programs["admin"].environment.values()


@pytest.mark.parametrize("name", WITH_A_DATABASE)
def test_a_service_may_have_a_user_of_the_broker_to_itself(tmp_path: Path, name: str) -> None:
    own = f"amqp://routiq_{name}:pw@mq.example/"
    programs = plan(tmp_path, {**OUTSIDE, f"{name.upper()}_AMQP_URL": own, "AMQP_DECLARE": "false"})
    assert [one.name for one in programs.values() if one.environment.get("AMQP_URL") == own] == [name]
    assert programs[name].environment["AMQP_DECLARE"] == "false"


def test_only_the_sync_may_open_stored_credentials(tmp_path: Path) -> None:
    holders = {name for name, program in plan(tmp_path).items() if "CREDENTIALS_KEYS" in program.environment}
    assert holders == {"sync"}


def test_only_the_gateway_knows_clerks_secret(tmp_path: Path) -> None:
    programs = plan(tmp_path, {"CLERK_SECRET_KEY": "sk_test_secret"})
    assert {name for name, one in programs.items() if "CLERK_SECRET_KEY" in one.environment} == {"gateway"}


def test_clerk_and_admin_share_a_secret_that_nobody_else_knows(tmp_path: Path) -> None:
    holders = [one for one in plan(tmp_path).values() if "CLERK_WEBHOOK_SECRET" in one.environment]
    assert {one.name for one in holders} == {"clerk", "admin"}
    assert {one.environment["CLERK_WEBHOOK_SECRET"] for one in holders} == {SECRETS.webhook_secret}
    assert not any(SECRETS.webhook_secret in part for one in holders for part in one.command)


def test_messages_of_a_clerk_that_is_not_ours_are_only_believed_with_its_secret(tmp_path: Path) -> None:
    assert "CLERK_WEBHOOK_SECRET" not in plan(tmp_path, OUTSIDE)["admin"].environment
    given = plan(tmp_path, {**OUTSIDE, "CLERK_WEBHOOK_SECRET": "whsec_theirs"})["admin"].environment
    assert given["CLERK_WEBHOOK_SECRET"] == "whsec_theirs"


def test_a_service_with_a_database_waits_for_its_schema(tmp_path: Path) -> None:
    programs = plan(tmp_path)
    assert programs["migrations"].after == ("postgres",)
    assert all(programs[name].after == ("migrations",) for name in WITH_A_DATABASE)


def test_ports_come_from_settings(tmp_path: Path) -> None:
    programs = plan(tmp_path, {"PORT": "9000", "SYNC_PORT": "9002"})
    assert programs["gateway"].environment["PORT"] == "9000"
    assert programs["gateway"].environment["SYNC_URL"] == "http://127.0.0.1:9002"
    assert programs["sync"].port == 9002


def test_no_secret_stands_in_a_command_line(tmp_path: Path) -> None:
    password = SECRETS.broker_password
    programs = plan(tmp_path)
    assert programs["broker"].environment["RABBITMQ_EMULATOR_PASSWORD"] == password
    secret = {password, SECRETS.owner_password, SECRETS.identity_key, *SECRETS.role_passwords.values()}
    words = [word for program in programs.values() for word in program.command]
    assert not [word for word in words if any(one in word for one in secret)]


def test_no_secret_shows_when_a_program_is_printed(tmp_path: Path) -> None:
    shown = repr(plan(tmp_path))
    assert not any(password in shown for password in SECRETS.role_passwords.values())
    assert SECRETS.identity_key not in shown
