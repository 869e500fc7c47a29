"""Patients who may not return, as `/retention` tells them. `domain/retention.py` has the rules."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from analytics.domain.retention import Reason, Risk
from analytics.entrypoints import added_examples as examples
from contracts.timestamps import Moment


class PatientAtRisk(BaseModel):
    """One patient without an appointment to come."""

    model_config = ConfigDict(from_attributes=True)

    cliniko_patient_id: str
    risk: Risk
    reasons: list[Reason]
    visits: int
    last_visit_at: Moment
    days_since_last_visit: int
    usual_interval_days: int


class RiskCounts(BaseModel):
    """Patients of the whole clinic by risk."""

    high: int
    medium: int
    low: int
    lost: int


class Retention(BaseModel):
    """A page of patients at risk; `total_count` is the number that match, not the number returned."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.RETENTION]})

    success: Literal[True] = True
    organization_id: str
    patients: list[PatientAtRisk]
    total_count: int
    counts: RiskCounts
    next_cursor: str | None
    last_sync_time: Moment | None
    timestamp: Moment
