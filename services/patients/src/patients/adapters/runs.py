"""When the clinic was last read as a whole; a later answer wins, whatever the order they come in."""

from datetime import datetime

from sqlalchemy import text

from patients.adapters.tenant import Tenant

_NOTE = text("""
    INSERT INTO last_runs AS known (organization_id, completed_at, full_sweep_at)
    VALUES (:organization_id, :completed_at, :full_sweep_at)
    ON CONFLICT (organization_id) DO UPDATE SET
        completed_at = greatest(known.completed_at, excluded.completed_at),
        full_sweep_at = greatest(known.full_sweep_at, excluded.full_sweep_at)
""")


async def note_completed_run(tenant: Tenant, completed_at: datetime, *, full_sweep: bool) -> None:
    await tenant.execute(_NOTE, completed_at=completed_at, full_sweep_at=completed_at if full_sweep else None)
