"""What can be said of a clinic's Cliniko: its standing, a live test of its key, and a look inside without its data."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter

from chassis.errors import Conflict
from sync.adapters.connections import Connection
from sync.adapters.history import Totals
from sync.adapters.store import Store
from sync.adapters.vault import Unreadable, Vault
from sync.domain.clinic import ClinikoError, CredentialsRefused, PermissionDenied
from sync.domain.plan import KINDS
from sync.domain.run import Run
from sync.handlers.connect import OpenClinic
from sync.handlers.runs import NOT_CONNECTED
from sync.handlers.schedule import Standing, schedule_standing

LAST_ERRORS = 5


@dataclass(frozen=True)
class ClinicStanding:
    """`connection` is None when there never was one."""

    connection: Connection | None
    standing: Standing
    total_patients: int


@dataclass(frozen=True)
class Tried:
    """What Cliniko said to a live call; `refusal` is None when it answered."""

    refusal: ClinikoError | None
    practitioners: int | None
    patients: int | None
    milliseconds: float


@dataclass(frozen=True)
class Inside:
    """Counts and shares; no record's content."""

    connection: Connection | None
    standing: Standing
    totals: Totals
    records: Mapping[str, int]
    set_aside: int
    last_errors: Sequence[Run]
    field_presence: Mapping[str, Mapping[str, float]]


async def clinic_standing(store: Store) -> ClinicStanding:
    """How the clinic is connected and what of it is here."""
    connection = await store.connections.current()
    return ClinicStanding(connection, await schedule_standing(None, store), await store.holdings.listed_patients())


async def stored_key(store: Store, vault: Vault) -> tuple[str, int]:
    """The organization's API key and its number. Raises Conflict when there is none that can be used."""
    connection = await store.connections.current()
    if connection is None or connection.api_key is None:
        raise Conflict(NOT_CONNECTED)
    try:
        return vault.open(connection.api_key, store.organization_id), connection.key_number
    except Unreadable as error:
        raise Conflict(error.text) from error


async def try_key(api_key: str, open_clinic: OpenClinic) -> Tried:
    """Count patients and practitioners in Cliniko now; the time is that of the first answer."""
    clinic, began = open_clinic(api_key), perf_counter()
    refusal, patients, practitioners = None, None, None
    try:
        patients = (await clinic.page("patients", (), 1, size=1)).total
    except ClinikoError as error:
        refusal = error
    milliseconds = 1000 * (perf_counter() - began)
    if refusal is None:
        with suppress(ClinikoError):  # a receptionist's key may not list them, and works all the same
            practitioners = (await clinic.page("practitioners", (), 1, size=1)).total
    return Tried(refusal, practitioners, patients, milliseconds)


def verdict(tried: Tried) -> bool | None:
    """Whether Cliniko accepts the key; None when its answer does not say."""
    if isinstance(tried.refusal, CredentialsRefused):
        return False
    return True if tried.refusal is None or isinstance(tried.refusal, PermissionDenied) else None


async def look_inside(store: Store) -> Inside:
    """For an administrator who wants to know why something is missing."""
    return Inside(
        connection=await store.connections.current(),
        standing=await schedule_standing(None, store),
        totals=await store.history.totals(),
        records=await store.holdings.counts(),
        set_aside=await store.holdings.set_aside_count(),
        last_errors=await store.history.failed(LAST_ERRORS),
        field_presence={kind.name: await store.holdings.field_presence(kind.name) for kind in KINDS},
    )
