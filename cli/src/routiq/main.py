"""The `routiq` command."""

from enum import StrEnum
from typing import Annotated, Any, NoReturn

import typer

from routiq import audit as auditing
from routiq import console, demo, init, keys
from routiq import deploy as deploying
from routiq import down as stopping
from routiq import replay as replaying
from routiq import up as starting
from routiq.background import make_plan
from routiq.client import Gateway, issue_token
from routiq.dead_letters_commands import dead_letter_commands
from routiq.failures import ReportedError
from routiq.invocation import plan_of_running, reported, run, running_record, state_directory
from routiq.recovery import commands as recovery
from routiq.state import Record

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Run Routiq on this machine and work with it.")

key_commands = typer.Typer(no_args_is_help=True, help="The keys that seal the clinics' API keys.")
app.add_typer(key_commands, name="keys")
audit_commands = typer.Typer(no_args_is_help=True, help="What is on record of each organization.")
app.add_typer(audit_commands, name="audit")
app.add_typer(dead_letter_commands, name="dead-letters")

Organization = Annotated[str, typer.Argument(metavar="ORG", help="The organization, such as org_demo_harbour.")]


class Role(StrEnum):
    ADMIN = "admin"
    MEMBER = "member"


class Consumer(StrEnum):
    """Who keeps what a sync brings."""

    PATIENTS = "patients"
    ANALYTICS = "analytics"


class Service(StrEnum):
    """Whose process may be another while the others go on."""

    GATEWAY = "gateway"
    PATIENTS = "patients"
    SYNC = "sync"
    ANALYTICS = "analytics"
    ADMIN = "admin"


class Mode(StrEnum):
    COMPREHENSIVE = "comprehensive"
    BASIC = "basic"
    PATIENTS_ONLY = "patients-only"
    INCREMENTAL = "incremental"


@app.command("init")
def initialize(
    domain: Annotated[str | None, typer.Option(help="The name under which the gateway is reached.")] = None,
    email: Annotated[str | None, typer.Option(help="Whom Let's Encrypt writes to.")] = None,
    clerk_issuer: Annotated[str | None, typer.Option(help="Clerk's Frontend API URL.")] = None,
    update: Annotated[bool, typer.Option("--update", help="Add to an existing .env what it has not.")] = False,
) -> None:
    """Write a .env with strong secrets for `docker compose`."""
    try:
        written = init.write(init.ENV, init.Answers(domain, email, clerk_issuer), update=update)
    except ReportedError as error:
        raise reported(error) from None
    init.show(init.ENV, written)


@app.command()
def up(detach: Annotated[bool, typer.Option(help="Return once healthy and synced.")] = False) -> NoReturn:
    """Start everything, connect two demo clinics and sync them."""
    raise typer.Exit(run(starting.up(state_directory(), detach=detach)))


@app.command()
def down() -> None:
    """Stop what `up` started."""
    with console.out.status("Stopping …"):
        stopped = run(stopping.stop(state_directory()))
    console.out.print("Stopped." if stopped else "Nothing was running.")


@app.command()
def deploy(service: Annotated[Service, typer.Argument(metavar="SERVICE", help="Such as patients.")]) -> None:
    """Migrate one service and start it anew with the code that is there now; the others go on."""
    away = run(deploying.deploy(plan_of_running(), service))
    console.out.print(f"{service} runs anew; it was away for {away:.1f} s.")


@app.command()
def status() -> None:
    """The processes, their ports and logs."""
    record = state_directory().read()
    if record is None:
        raise reported(ReportedError("Nothing was started here yet; `routiq up` does."))
    console.out.print(console.processes(record))
    if record.failure:
        console.out.print(record.failure, style="red", markup=False)
    raise typer.Exit(0 if record.supervisor.alive() else 1)


@app.command()
def token(
    org: Annotated[str, typer.Option(help="The organization the token is for.")] = "",
    role: Annotated[Role, typer.Option(help="The role in it.")] = Role.ADMIN,
    operator: Annotated[bool, typer.Option("--operator", help="An admin of the platform's own organization.")] = False,
) -> None:
    """Print a session token of the Clerk emulator."""
    if not org and not operator:
        raise typer.BadParameter("--org or --operator is needed")
    record = running_record()
    organization, granted = (record.platform_organization, Role.ADMIN) if operator else (org, role)
    typer.echo(run(issue_token(record, organization, granted)))


@app.command()
def sync(
    organizations: Annotated[list[str], typer.Argument(metavar="ORG...", help="One or more organizations.")],
    mode: Annotated[Mode, typer.Option(help="How much to read.")] = Mode.COMPREHENSIVE,
    detach: Annotated[bool, typer.Option(help="Print the ids of the runs and return.")] = False,
) -> None:
    """Pull connected clinics from Cliniko and watch."""
    work = demo.start if detach else demo.sync
    run(work(running_record(), organizations, mode))


@app.command()
def dashboard(organization: Organization) -> None:
    """A clinic's figures and its last runs."""
    answer = run(_dashboard(running_record(), organization))
    console.out.print(console.dashboards({organization: answer}))
    console.out.print(console.activity(answer["recent_activity"]))


@app.command()
def replay(
    organization: Organization,
    to: Annotated[Consumer | None, typer.Option(help="Only to this service; by default to both.")] = None,
) -> None:
    """Say all of a clinic's records again, for a service that has lost its own. Cliniko is not asked."""
    typer.echo(run(replaying.replay(plan_of_running(), organization, to)))


app.command()(recovery.backup)
app.command("restore")(recovery.restore_)


@key_commands.command()
def add() -> None:
    """Make a new key that seals from the next start on; the older ones still open."""
    state = state_directory()
    state.create()
    try:
        key_id = keys.add(state, make_plan(state))
    except ReportedError as error:
        raise reported(error) from None
    console.out.print(
        f"The key {key_id} seals after the next start. Then `routiq keys rotate` seals everything with it."
    )


@key_commands.command()
def rotate() -> None:
    """Seal every clinic's API key with the newest key, while the system runs."""
    run(keys.rotate(plan_of_running()))


@audit_commands.callback()
def audit() -> None:
    """Keeps `verify` a command of its own while it is the only one."""


@audit_commands.command()
def verify(
    organization: Annotated[str | None, typer.Argument(metavar="[ORG]", help="Only this one; by default all.")] = None,
) -> None:
    """Compute every hash of the audit chains anew, and name the first broken link of each."""
    run(auditing.verify(plan_of_running(), organization))


async def _dashboard(record: Record, organization: str) -> dict[str, Any]:
    async with Gateway.open(record, organization, role=Role.MEMBER) as gateway:
        return await gateway.dashboard()
