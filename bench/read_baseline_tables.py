"""Normalised tables with foreign keys and the indexes their queries want, in a schema of their own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.schema import MetaData


class Base(DeclarativeBase):
    metadata = MetaData(schema="baseline")
    type_annotation_map = {datetime: DateTime(timezone=True), int: BigInteger}  # noqa: RUF012 - as SQLAlchemy wants it


class Clinic(Base):
    __tablename__ = "clinics"

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(unique=True)
    full_sweep_at: Mapped[datetime | None]


class AppointmentType(Base):
    __tablename__ = "appointment_types"

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey(Clinic.id))
    name: Mapped[str]


class Practitioner(Base):
    __tablename__ = "practitioners"

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey(Clinic.id))
    name: Mapped[str]


class Patient(Base):
    __tablename__ = "patients"
    __table_args__ = (Index("patients_of_a_clinic", "clinic_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey(Clinic.id))
    uuid: Mapped[UUID]
    name: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[str | None]
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    appointments: Mapped[list["Appointment"]] = relationship(order_by="Appointment.starts_at")


class Appointment(Base):
    __tablename__ = "appointments"
    __table_args__ = (
        Index("appointments_of_a_patient", "patient_id", "starts_at"),
        Index("appointments_of_a_clinic", "clinic_id", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey(Clinic.id))
    patient_id: Mapped[int] = mapped_column(ForeignKey(Patient.id))
    type_id: Mapped[int] = mapped_column(ForeignKey(AppointmentType.id))
    practitioner_id: Mapped[int] = mapped_column(ForeignKey(Practitioner.id))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    notes: Mapped[str | None]
    patient_arrived: Mapped[bool]
    did_not_arrive: Mapped[bool]
    cancelled_at: Mapped[datetime | None]
    type: Mapped[AppointmentType] = relationship()
    practitioner: Mapped[Practitioner] = relationship()


class SyncRun(Base):
    __tablename__ = "sync_runs"
    __table_args__ = (Index("runs_of_a_clinic", "clinic_id", "started_at"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    clinic_id: Mapped[int] = mapped_column(ForeignKey(Clinic.id))
    status: Mapped[str]
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    patients_reported: Mapped[int | None]
