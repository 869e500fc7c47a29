"""The shapes of what is said and answered, key by key as the API reference has them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from contracts.events import RunStatus, SyncMode
from contracts.timestamps import Moment
from sync.entrypoints import examples


class Credentials(BaseModel):
    """A key to a clinic's Cliniko account; no answer ever holds it."""

    api_key: SecretStr = Field(max_length=512, examples=["your-cliniko-api-key-au4"])


class Done(BaseModel):
    """What was asked for has been done."""

    success: Literal[True] = True
    message: str
    organization_id: str
    timestamp: Moment


class Connected(Done):
    """Cliniko accepted the key."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CONNECTED]})

    api_region: str
    cliniko_connected: Literal[True] = True


class Disconnected(Done):
    """The key is forgotten."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DISCONNECTED]})

    cliniko_connected: Literal[False] = False


class SyncStarted(Done):
    """A run; `sync_started` is false when it was under way already."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SYNC_STARTED]})

    sync_mode: SyncMode
    sync_id: str
    sync_started: bool


class SyncProgress(BaseModel):
    """How far a run is; it is completed once everything it brought can be read."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.PROGRESS]})

    sync_id: str
    organization_id: str
    status: RunStatus
    progress_percentage: float
    current_step: str
    total_steps: int
    completed_steps: int
    started_at: Moment
    estimated_completion: Moment | None
    records_processed: int
    records_total: int
    records_failed: int
    completed_at: Moment | None = None
    failure: str | None = None
