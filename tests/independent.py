"""What the contract says about a clinic, computed slowly and plainly from Cliniko's own answers.

Shares no code with the services on purpose: where the two differ, one of them misreads the contract.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

Json = dict[str, Any]
MONTH = timedelta(days=30)
HEADERS = {"user-agent": "Check (check@routiq.example)", "accept": "application/json"}


@dataclass(frozen=True)
class ClinikoAccount:
    """Read access to one clinic, as any other client of Cliniko would have it."""

    address: str
    key: str

    def all(self, path: str, *filters: str) -> list[Json]:
        """Every row of a list, by following its links."""
        rows: list[Json] = []
        with httpx.Client(auth=(self.key, ""), headers=HEADERS) as http:
            url = f"{self.address}/{path}"
            answer = http.get(url, params={"q[]": list(filters), "per_page": 100}).raise_for_status().json()
            rows += answer[path.partition("/")[0]]
            while "next" in answer["links"]:
                answer = http.get(answer["links"]["next"]).raise_for_status().json()
                rows += answer[path.partition("/")[0]]
        return rows


@dataclass(frozen=True)
class Appointment:
    id: str
    patient: str
    type: str | None
    practitioner: str | None
    starts_at: datetime
    ends_at: datetime | None
    note: str | None
    status: str

    def shown(self) -> Json:
        """As it is shown with its patient."""
        times = {"date": _iso(self.starts_at), "ends_at": _iso(self.ends_at) if self.ends_at else None}
        said = {"type": self.type, "notes": self.note, "practitioner": self.practitioner, "status": self.status}
        return {"id": self.id, **times, **said}


@dataclass(frozen=True)
class Names:
    """Of appointment types and practitioners, by id."""

    types: dict[str, str]
    practitioners: dict[str, str]

    @classmethod
    def read(cls, account: ClinikoAccount) -> "Names":
        types = account.all("appointment_types", "archived_at:*")
        people = [*account.all("practitioners"), *account.all("practitioners/inactive")]
        return cls({one["id"]: one["name"] for one in types}, {one["id"]: one["display_name"] for one in people})


@dataclass(frozen=True)
class Clinic:
    """A clinic's listed patients and counted appointments."""

    patients: dict[str, Json]
    appointments: dict[str, list[Appointment]]

    @classmethod
    def read(cls, account: ClinikoAccount) -> "Clinic":
        listed = [p for p in account.all("patients") if not (p["archived_at"] or p["deleted_at"] or p["merged_at"])]
        names = Names.read(account)
        mine: dict[str, list[Appointment]] = {p["id"]: [] for p in listed}
        for row in account.all("individual_appointments"):
            appointment = _appointment(row, names)
            if not (row["cancelled_at"] or row["archived_at"] or row["deleted_at"]) and appointment.patient in mine:
                mine[appointment.patient].append(appointment)
        groups = {g["id"]: g for g in account.all("group_appointments", "archived_at:*")}
        for row in account.all("attendees"):
            attendance = _attendance(row, groups.get(_linked(row["booking"])), names)
            if attendance and attendance.patient in mine:
                mine[attendance.patient].append(attendance)
        return cls({p["id"]: p for p in listed}, mine)

    def recent(self, patient: str, now: datetime) -> list[Appointment]:
        return [a for a in self.appointments[patient] if now - MONTH <= a.starts_at <= now]

    def upcoming(self, patient: str, now: datetime) -> list[Appointment]:
        return [a for a in self.appointments[patient] if a.starts_at > now]

    def active(self, now: datetime) -> list[str]:
        return [p for p in self.patients if self.recent(p, now) or self.upcoming(p, now)]

    def dashboard(self, now: datetime) -> Json:
        """The figures of the dashboard that come from records."""
        active = self.active(now)
        counts = {p: (len(self.upcoming(p, now)), len(self.recent(p, now)), len(self.appointments[p])) for p in active}
        averages = [round(sum(c[i] for c in counts.values()) / len(active), 2) if active else 0.0 for i in range(3)]
        return {
            "total_patients": len(self.patients),
            "active_patients": len(active),
            "patients_with_upcoming": sum(1 for p in self.patients if self.upcoming(p, now)),
            "patients_with_recent": sum(1 for p in self.patients if self.recent(p, now)),
            "total_upcoming_appointments": sum(len(self.upcoming(p, now)) for p in self.patients),
            "total_recent_appointments": sum(len(self.recent(p, now)) for p in self.patients),
            "total_all_appointments": sum(map(len, self.appointments.values())),
            "avg_upcoming_per_patient": averages[0],
            "avg_recent_per_patient": averages[1],
            "avg_total_per_patient": averages[2],
            "engagement_rate": round(100 * len(active) / len(self.patients), 1) if self.patients else 0.0,
            "synced_patients": len(self.patients),
            "sync_percentage": 100.0,
        }

    def patient_list(self, now: datetime, *, active_only: bool = True) -> list[Json]:
        """The patients in the contract's order, without the fields that only Routiq can know."""
        patients = [self.patient(p, now) for p in (self.active(now) if active_only else self.patients)]
        return sorted(patients, key=order)

    def patient(self, patient: str, now: datetime) -> Json:
        row, mine = self.patients[patient], sorted(self.appointments[patient], key=lambda a: a.starts_at)
        by_id = sorted(mine, key=lambda a: a.id)
        newest_first = sorted(by_id, key=lambda a: a.starts_at, reverse=True)
        soonest_first = sorted(by_id, key=lambda a: a.starts_at)
        recent, upcoming = self.recent(patient, now), self.upcoming(patient, now)
        past = [a for a in mine if a.starts_at <= now]
        following = min(upcoming, key=lambda a: a.starts_at, default=None)
        return {
            "name": _name(row),
            "phone": _phone(row["patient_phone_numbers"] or []),
            "email": (row["email"] or "").strip() or None,
            "cliniko_patient_id": patient,
            "is_active": bool(recent or upcoming),
            "activity_status": _status(bool(recent), bool(upcoming)),
            "recent_appointment_count": len(recent),
            "upcoming_appointment_count": len(upcoming),
            "total_appointment_count": len(mine),
            "first_appointment_date": _iso(mine[0].starts_at) if mine else None,
            "last_appointment_date": _iso(past[-1].starts_at) if past else None,
            "next_appointment_time": _iso(following.starts_at) if following else None,
            "next_appointment_type": following.type if following else None,
            "primary_appointment_type": _primary(mine),
            "treatment_notes": next((a.note for a in reversed(mine) if a.note), None),
            "recent_appointments": [a.shown() for a in newest_first if a in recent][:50],
            "upcoming_appointments": [a.shown() for a in soonest_first if a in upcoming][:50],
            "created_at": _iso(_moment(row["created_at"])),
        }


def _appointment(row: Json, names: Names) -> Appointment:
    kind, practitioner = row.get("appointment_type"), row.get("practitioner")
    arrived = "arrived" if row.get("patient_arrived") is True else "booked"
    return Appointment(
        id=row["id"],
        patient=_linked(row["patient"]),
        type=names.types.get(_linked(kind)) if kind else None,
        practitioner=names.practitioners.get(_linked(practitioner)) if practitioner else None,
        starts_at=_moment(row["starts_at"]),
        ends_at=_moment(row["ends_at"]) if row["ends_at"] else None,
        note=row["notes"] if (row["notes"] or "").strip() else None,
        status="did_not_arrive" if row.get("did_not_arrive") is True else arrived,
    )


def _attendance(row: Json, group: Json | None, names: Names) -> Appointment | None:
    """An attendee's appointment in a group; None for an individual appointment's attendee, and for what is over."""
    if group is None or group["deleted_at"] or row["cancelled_at"] or row["archived_at"] or row["deleted_at"]:
        return None
    notes = [note for note in (row["notes"], group["notes"]) if (note or "").strip()]
    own = {"id": row["id"], "patient": row["patient"], "notes": next(iter(notes), None)}
    return _appointment({**group, **own, "patient_arrived": row["arrived"]}, names)


def order(patient: Json) -> tuple[Any, ...]:
    """The contract's order, but for patients who are equal in all this: those go by an id that Routiq gives."""
    following, last = patient["next_appointment_time"], patient["last_appointment_date"]
    backwards = -_moment(last).timestamp() if last else 0.0
    return (following is None, following or "", last is None, backwards, patient["name"].lower())


def _primary(mine: Iterable[Appointment]) -> str | None:
    typed = [a for a in mine if a.type is not None]
    if not typed:
        return None
    often = Counter(a.type for a in typed)
    latest = {kind: max(a.starts_at for a in typed if a.type == kind) for kind in often}
    return min(often, key=lambda kind: (-often[kind], -latest[kind].timestamp(), str(kind)))


def _name(row: Json) -> str:
    """Without NUL, which PostgreSQL's text cannot hold."""
    parts = ((row[part] or "").replace("\0", "").strip() for part in ("first_name", "last_name"))
    return " ".join(part for part in parts if part) or f"Patient {row['id']}"


def _phone(numbers: list[Json]) -> str | None:
    usable = [n for n in numbers if any(c in "0123456789" for c in n["number"] or "")]
    chosen = next((n for n in usable if n["phone_type"] == "Mobile"), usable[0] if usable else None)
    if chosen is None:
        return None
    text = str(chosen["number"]).strip()
    return ("+" if text.startswith("+") else "") + "".join(c for c in text if c in "0123456789")


def _status(recent: bool, upcoming: bool) -> str:
    if recent == upcoming:
        return "active" if recent else "inactive"
    return "recently_active" if recent else "upcoming_only"


def _linked(relation: Json) -> str:
    return str(relation["links"]["self"]).rsplit("/", 1)[-1]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def is_version_5(text: str) -> bool:
    """The patients' ids are UUIDs made from names."""
    return UUID(text).version == 5
