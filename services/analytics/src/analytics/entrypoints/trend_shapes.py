"""What happened at a clinic, as `/analytics` and `/charts` tell it. `domain/trends.py` says what each metric counts."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from analytics.domain.periods import Granularity, Timeframe
from analytics.entrypoints import added_examples as examples
from contracts.timestamps import Moment


class Period(BaseModel):
    """Whole days in UTC, the first and the last included."""

    model_config = ConfigDict(from_attributes=True)

    first_day: date
    last_day: date


class Comparison(BaseModel):
    """A number, the one of the period before, and the change in percent; null when there was nothing before."""

    model_config = ConfigDict(from_attributes=True)

    current: int
    previous: int
    change_percentage: float | None


class Share(BaseModel):
    """What one appointment type or practitioner had of it; `id` is null for appointments without one."""

    model_config = ConfigDict(from_attributes=True)

    id: str | None
    name: str | None
    bookings: Comparison
    appointments: Comparison
    cancellations: Comparison
    no_shows: Comparison
    active_patients: Comparison


class Totals(BaseModel):
    """What happened in a period, or in a day or week of it."""

    model_config = ConfigDict(from_attributes=True)

    bookings: Comparison
    appointments: Comparison
    cancellations: Comparison
    no_shows: Comparison
    new_patients: Comparison
    active_patients: Comparison


class Point(Totals):
    """A day or a week, beside the one that lies as far back in the period before."""

    first_day: date
    last_day: date


class _Trend(BaseModel):
    """What `/analytics` and `/charts` have in common."""

    model_config = ConfigDict(from_attributes=True)

    success: Literal[True] = True
    organization_id: str
    timeframe: Timeframe
    period: Period
    previous_period: Period
    totals: Totals
    last_sync_time: Moment | None
    timestamp: Moment


class Analytics(_Trend):
    """A period in figures, by appointment type and by practitioner."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.ANALYTICS]})

    by_appointment_type: list[Share]
    by_practitioner: list[Share]


class Charts(_Trend):
    """A period day by day, or week by week, the earliest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CHARTS]})

    granularity: Granularity
    points: list[Point]
