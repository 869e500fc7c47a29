"""Let go of a patient for good."""

from sync.adapters.store import Store


async def erase_patient(cliniko_patient_id: str, store: Store) -> None:
    """Drop what landed of a patient, and keep out what Cliniko says of them later.

    The active run is held up first: a page that is landing beside this could neither see it nor be seen by it. Another
    run may have begun, and landed its first page, while what a large clinic has landed was gone through: hence twice.
    """
    for _ in range(2):
        if run := await store.runs.active():
            await store.runs.lock(run.sync_id)
        await store.landing.erase(cliniko_patient_id, store.now)
