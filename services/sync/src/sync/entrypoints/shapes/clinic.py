"""A clinic's connection to Cliniko."""

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from contracts.timestamps import Moment
from sync.entrypoints import examples
from sync.entrypoints.shapes.done import Done
from sync.handlers.clinic import ClinicStanding, Inside, Tried
from sync.handlers.schedule import PausedReason


class Credentials(BaseModel):
    """A key to a clinic's Cliniko account; no answer ever holds it."""

    api_key: SecretStr = Field(max_length=512, examples=["your-cliniko-api-key-au4"])


class Connected(Done):
    """Cliniko accepted the key."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CONNECTED]})

    api_region: str
    cliniko_connected: Literal[True] = True


class Disconnected(Done):
    """The key is forgotten."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DISCONNECTED]})

    cliniko_connected: Literal[False] = False


class ClinikoStatus(BaseModel):
    """`credentials_valid` is Cliniko's last answer to the key, `sync_enabled` whether runs start by themselves."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CLINIKO_STATUS]})

    organization_id: str
    cliniko_connected: bool
    api_region: str | None = None
    last_sync: Moment | None = None
    total_patients: int
    sync_enabled: bool
    credentials_valid: bool
    paused_reason: PausedReason | None = None

    @classmethod
    def of(cls, organization_id: str, clinic: ClinicStanding) -> Self:
        """The seven keys, and why there is no schedule."""
        connection = clinic.connection
        connected = connection is not None and connection.api_key is not None
        return cls(
            organization_id=organization_id,
            cliniko_connected=connected,
            api_region=connection.region if connection and connected else None,
            last_sync=clinic.standing.last_completed_at,
            total_patients=clinic.total_patients,
            sync_enabled=clinic.standing.paused_reason is None,
            credentials_valid=connection is not None and connection.credentials_valid,
            paused_reason=clinic.standing.paused_reason,
        )


class ConnectionTested(BaseModel):
    """One live call; a refusal by Cliniko is `success: false` with its reason in `error`."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CONNECTION_TESTED]})

    success: bool
    message: str
    organization_id: str
    api_region: str
    api_url: str
    practitioners_count: int | None = None
    total_patients_available: int | None = None
    response_time_ms: float
    error: str | None = None
    timestamp: Moment

    @classmethod
    def of(cls, organization_id: str, region: str, url: str, tried: Tried, now: datetime) -> Self:
        """What Cliniko said, for people."""
        refusal = tried.refusal
        return cls(
            success=refusal is None,
            message="Cliniko answered" if refusal is None else "Cliniko could not be used with this key",
            organization_id=organization_id,
            api_region=region,
            api_url=url,
            practitioners_count=tried.practitioners,
            total_patients_available=tried.patients,
            response_time_ms=round(tried.milliseconds, 1),
            error=refusal.text if refusal else None,
            timestamp=now,
        )


class RunFailure(BaseModel):
    """Why a run failed."""

    sync_id: str
    at: Moment | None = None
    failure: str | None = None


class ConnectionFlags(BaseModel):
    """How the connection stands; `changed_at` is when it last did."""

    connected: bool
    credentials_valid: bool
    api_region: str | None = None
    changed_at: Moment | None = None


class SyncCounts(BaseModel):
    """All runs of the organization by how they ended."""

    total: int
    completed: int
    failed: int
    cancelled: int
    last_full_sweep_at: Moment | None = None


class ClinicInside(BaseModel):
    """Flags, counts and shares, without any record's content."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DEBUG]})

    organization_id: str
    connection: ConnectionFlags
    paused_reason: PausedReason | None = None
    next_sync_at: Moment | None = None
    syncs: SyncCounts
    records: dict[str, int]
    records_set_aside: int
    last_errors: list[RunFailure]
    field_presence: dict[str, dict[str, float]]
    timestamp: Moment

    @classmethod
    def of(cls, organization_id: str, inside: Inside, now: datetime) -> Self:
        """What an administrator may see."""
        connection, totals = inside.connection, inside.totals
        return cls(
            organization_id=organization_id,
            connection=ConnectionFlags(
                connected=connection is not None and connection.api_key is not None,
                credentials_valid=connection is not None and connection.credentials_valid,
                api_region=connection.region if connection else None,
                changed_at=connection.changed_at if connection else None,
            ),
            paused_reason=inside.standing.paused_reason,
            next_sync_at=inside.standing.next_run_at,
            syncs=SyncCounts(
                total=totals.total,
                completed=totals.successful,
                failed=totals.failed,
                cancelled=totals.cancelled,
                last_full_sweep_at=totals.last_full_sweep_at,
            ),
            records=dict(inside.records),
            records_set_aside=inside.set_aside,
            last_errors=[
                RunFailure(sync_id=run.sync_id, at=run.ended_at, failure=run.failure) for run in inside.last_errors
            ],
            field_presence={kind: dict(shares) for kind, shares in inside.field_presence.items()},
            timestamp=now,
        )
