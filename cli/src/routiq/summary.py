"""What `up` says at its end: what runs, what the clinics look like, and what to try first."""

from routiq import demo
from routiq.client import issue_token
from routiq.console import dashboards, out
from routiq.state import Record


async def show(record: Record) -> None:
    out.print(
        f"\n[bold]Routiq answers at {record.gateway_url}[/bold]   {record.postgres} · {record.broker}", soft_wrap=True
    )
    for name, url in (("Cliniko emulator", record.cliniko_url), ("Clerk emulator", record.clerk_url)):
        if url:
            out.print(f"{name}: {url}", soft_wrap=True)
    if demo.has_demo(record):
        await _show_demo(record)
    else:
        _show_next_steps(record)


async def _show_demo(record: Record) -> None:
    out.print(dashboards(await demo.dashboards(record)))
    organization = next(iter(demo.CLINICS))
    out.print(f"An administrator's token for {organization}, good for an hour:")
    _verbatim(f"TOKEN={await issue_token(record, organization, 'admin')}")
    out.print("Try:")
    for path in (f"dashboard/{organization}", f"patients/{organization}/patients?limit=3", "auth/verify"):
        _verbatim(f'curl -s -H "Authorization: Bearer $TOKEN" "{record.gateway_url}/api/v1/{path}"')


def _show_next_steps(record: Record) -> None:
    token = "$(routiq token --org ORG --role admin)" if record.clerk_url else "a session token of your Clerk"
    out.print(f"The demo is left out, as an outside Cliniko or Clerk is set. Connect a clinic with TOKEN={token}:")
    _verbatim(
        f'curl -X PUT -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" '
        f'-d \'{{"api_key": "..."}}\' {record.gateway_url}/api/v1/cliniko/connection/ORG'
    )
    _verbatim(f'curl -X POST -H "Authorization: Bearer $TOKEN" {record.gateway_url}/api/v1/cliniko/sync/ORG')


def _verbatim(line: str) -> None:
    """To be copied: not wrapped, and nothing in it is markup."""
    out.print(line, soft_wrap=True, markup=False)
