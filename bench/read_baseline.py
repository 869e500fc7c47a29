"""What `make bench-reads` compares with: FastAPI, SQLAlchemy's ORM and pydantic, everything computed as it is read.

Of the work around it (a signed caller, row-level security, metrics, a log line for each request) it does none.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request
from sqlalchemy import ColumnElement, Select, func, literal, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import selectinload

from chassis.database import engine_url
from read_baseline_shapes import (
    NEVER,
    PLACE,
    RECENT,
    PatientListOut,
    Place,
    SummaryOut,
    UrgentListOut,
    patient_out,
    with_urgency,
)
from read_baseline_tables import Appointment, Clinic, Patient, SyncRun

COUNTED = Appointment.cancelled_at.is_(None)

router = APIRouter(prefix="/api/v1")


def create() -> FastAPI:
    """For uvicorn's `--factory`."""
    app = FastAPI()
    engine = create_async_engine(engine_url(os.environ["DATABASE_URL"]), pool_size=16, max_overflow=0)
    app.state.sessions = async_sessionmaker(engine)
    app.include_router(router)
    return app


async def session(request: Request) -> AsyncIterator[AsyncSession]:
    async with request.app.state.sessions() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session)]


@router.get("/patients/{organization_id}/patients")
async def patients(
    organization_id: str,
    session: Session,
    limit: int = 500,
    active: Literal["true", "all"] = "true",
    search: str | None = None,
    after: str | None = None,
) -> PatientListOut:
    """`after` is the `Place` of the last patient of the page before."""
    now = datetime.now(UTC)
    clinic = (await session.scalars(select(Clinic).where(Clinic.organization_id == organization_id))).one()
    wanted = [Patient.clinic_id == clinic.id, Patient.archived_at.is_(None)]
    if active == "true":
        wanted.append(Patient.id.in_(_active(clinic.id, now)))
    if search is not None:
        term = f"%{search}%"
        wanted.append(Patient.name.ilike(term) | Patient.email.ilike(term) | Patient.phone.ilike(term))
    total = await session.scalar(select(func.count()).select_from(Patient).where(*wanted))
    found = (
        await session.scalars(_page(wanted, limit, None if after is None else PLACE.validate_json(after), now))
    ).all()
    assert clinic.full_sweep_at  # noqa: S101 - every clinic has been swept; narrows it for the checker
    shown = [patient_out(patient, clinic.full_sweep_at, now) for patient in found]
    return PatientListOut(organization_id=organization_id, patients=shown, total_count=total or 0, timestamp=now)


@router.get("/patients/{organization_id}/patients/with-appointments")
async def patients_with_appointments(organization_id: str, session: Session) -> UrgentListOut:
    page = await patients(organization_id, session)
    shown = [with_urgency(patient, page.timestamp) for patient in page.patients]
    return UrgentListOut(**{**dict(page), "patients": shown})


def _active(clinic_id: int, now: datetime) -> Select[Any]:
    """Ids of those who came in the last 30 days or will come."""
    since = Appointment.starts_at >= now - RECENT
    return select(Appointment.patient_id).where(Appointment.clinic_id == clinic_id, COUNTED, since)


def _page(wanted: list[ColumnElement[bool]], limit: int, after: Place | None, now: datetime) -> Select[Any]:
    """In the order of the list, from after that place on."""
    ahead = Appointment.starts_at > now
    figures = (
        select(
            func.min(Appointment.starts_at).filter(ahead).label("next_at"),
            func.max(Appointment.starts_at).filter(~ahead).label("last_at"),
        )
        .where(Appointment.patient_id == Patient.id, COUNTED)
        .lateral()
    )
    order = (
        func.coalesce(func.extract("epoch", figures.c.next_at), literal(NEVER)),
        func.coalesce(-func.extract("epoch", figures.c.last_at), literal(NEVER)),
        func.lower(Patient.name).collate("C"),
        Patient.uuid,
    )
    if after is not None:
        wanted = [*wanted, tuple_(*order) > tuple_(*(literal(one) for one in after))]
    appointments = selectinload(Patient.appointments.and_(COUNTED))
    named = (appointments.selectinload(Appointment.type), appointments.selectinload(Appointment.practitioner))
    return select(Patient).join(figures, true()).where(*wanted).order_by(*order).limit(limit).options(*named)


@router.get("/dashboard/{organization_id}/summary")
async def summary(organization_id: str, session: Session) -> SummaryOut:
    now = datetime.now(UTC)
    clinic_id = await session.scalar(select(Clinic.id).where(Clinic.organization_id == organization_id))
    ahead = Appointment.starts_at > now
    each = (
        select(
            func.count(Appointment.id).label("total"),
            func.count(Appointment.id).filter(Appointment.starts_at.between(now - RECENT, now)).label("recent"),
            func.count(Appointment.id).filter(ahead).label("upcoming"),
        )
        .select_from(Patient)
        .outerjoin(Appointment, (Appointment.patient_id == Patient.id) & COUNTED)
        .where(Patient.clinic_id == clinic_id, Patient.archived_at.is_(None))
        .group_by(Patient.id)
        .subquery()
    )
    active = (each.c.recent > 0) | (each.c.upcoming > 0)
    figures = select(
        func.count().label("total_patients"),
        func.count().filter(active).label("active_patients"),
        func.count().filter(each.c.upcoming > 0).label("patients_with_upcoming"),
        func.count().filter(each.c.recent > 0).label("patients_with_recent"),
        func.sum(each.c.upcoming).label("total_upcoming_appointments"),
        func.sum(each.c.recent).label("total_recent_appointments"),
        func.sum(each.c.total).label("total_all_appointments"),
        func.sum(each.c.total).filter(active).label("of_active"),
    )
    row = (await session.execute(figures)).mappings().one()
    last_run = (
        select(SyncRun.completed_at)
        .where(SyncRun.clinic_id == clinic_id, SyncRun.status == "completed")
        .order_by(SyncRun.started_at.desc())
        .limit(1)
    )
    patients = row["active_patients"]
    return SummaryOut(
        **row,
        organization_id=organization_id,
        avg_upcoming_per_patient=round(float(row["total_upcoming_appointments"] / patients), 2),
        avg_recent_per_patient=round(float(row["total_recent_appointments"] / patients), 2),
        avg_total_per_patient=round(float(row["of_active"] / patients), 2),
        engagement_rate=round(patients / row["total_patients"] * 100, 1),
        last_sync_time=await session.scalar(last_run),
        generated_at=now,
    )
