"""The dashboard's answers, key by key as the API reference has them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from analytics.domain.figures import ActivityStatus, IntegrationStatus
from analytics.entrypoints import examples
from contracts.events import RunStatus
from contracts.timestamps import Moment


class Summary(BaseModel):
    """A clinic in figures."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [examples.SUMMARY]})

    organization_id: str
    total_patients: int
    active_patients: int
    patients_with_upcoming: int
    patients_with_recent: int
    total_upcoming_appointments: int
    total_recent_appointments: int
    total_all_appointments: int
    avg_upcoming_per_patient: float
    avg_recent_per_patient: float
    avg_total_per_patient: float
    engagement_rate: float
    last_sync_time: Moment | None
    synced_patients: int
    sync_percentage: float
    integration_status: IntegrationStatus
    activity_status: ActivityStatus
    generated_at: Moment


class Activity(BaseModel):
    """One sync run."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [examples.ACTIVITY]})

    id: str
    source_system: Literal["cliniko"] = "cliniko"
    operation_type: str
    status: RunStatus
    records_processed: int
    records_success: int
    records_failed: int
    started_at: Moment
    completed_at: Moment | None
    activity_type: Literal["sync"] = "sync"
    description: str
    minutes_ago: float


class Dashboard(BaseModel):
    """Figures and newest syncs, both of the moment `timestamp`."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.DASHBOARD]})

    success: Literal[True] = True
    organization_id: str
    summary: Summary
    recent_activity: list[Activity]
    timestamp: Moment
