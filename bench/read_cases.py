"""What is asked of the services and of the baseline, and that both give the same answer."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from chassis.identity import HEADER, Caller, sign
from read_baseline_shapes import place
from read_clinics import USUAL_PATIENTS, Clinic, usual
from read_system import BASELINE, System
from read_wrk import Load

A_WHILE = 7200
"""Seconds for which identities are signed: the gateway would sign anew every half minute."""
COMPARED = 12
OF_THEIR_MOMENT = frozenset(
    {"timestamp", "generated_at", "hours_until_next_appointment", "days_until_next_appointment"}
)
PAGE = 200

Question = tuple[str, str]
"""An organization, and what is asked about it."""


@dataclass(frozen=True)
class Case:
    """The same questions, as the service and as the baseline understands them."""

    name: str
    service: str
    questions: Sequence[Question]
    to_baseline: Sequence[Question]


def active_list(clinics: Sequence[Clinic]) -> Case:
    """Of each clinic of the usual size."""
    return _same("active list", "patients", "/api/v1/patients/{}/patients", usual(clinics))


def dashboard(clinics: Sequence[Clinic]) -> Case:
    """The figures of each clinic of the usual size."""
    return _same("dashboard", "analytics", "/api/v1/dashboard/{}/summary", usual(clinics))


async def all_cases(known: Sequence[Clinic], system: System) -> Sequence[Case]:
    """Everything that is compared; the last clinic is the largest."""
    patients, summary = "/api/v1/patients/{}/patients", "/api/v1/dashboard/{}/summary"
    searched, largest = f"{patients}?active=all&search=quinn%20no", known[-1:]
    size = f"{largest[0].patients:,}"
    return (
        active_list(known),
        _same("with-appointments", "patients", f"{patients}/with-appointments", usual(known)),
        dashboard(known),
        _same(f"search, all of {USUAL_PATIENTS}", "patients", searched, usual(known)),
        _same(f"search, all of {size}", "patients", f"{searched}&limit=50", largest),
        _same(f"dashboard of {size}", "analytics", summary, largest),
        await _walk(largest[0], system),
    )


def _same(name: str, service: str, path: str, clinics: Sequence[Clinic]) -> Case:
    questions = [(clinic.organization_id, path.format(clinic.organization_id)) for clinic in clinics]
    return Case(name, service, questions, questions)


async def _walk(clinic: Clinic, system: System) -> Case:
    """Every page of the whole clinic; the baseline starts each where the page before ended."""
    organization = clinic.organization_id
    first = (organization, f"/api/v1/patients/{organization}/patients?active=all&limit={PAGE}")
    ours, theirs, met = [first], [first], set[str]()
    async with Answers(system, "patients") as answers:
        page = await answers.to(first)
        while page["next_cursor"] is not None:
            met |= {patient["id"] for patient in page["patients"]}
            ours.append((organization, f"{first[1]}&cursor={quote(page['next_cursor'])}"))
            theirs.append((organization, f"{first[1]}&after={quote(place(page['patients'][-1]))}"))
            page = await answers.to(ours[-1])
        met |= {patient["id"] for patient in page["patients"]}
    if len(met) != clinic.patients:
        raise SystemExit(f"the walk met {len(met)} of {clinic.patients} patients")
    return Case(f"page of the walk of {clinic.patients:,}", "patients", ours, theirs)


class Answers:
    """Of one server; identities are signed as the gateway signs them for `service`."""

    def __init__(self, system: System, service: str, server: str | None = None) -> None:
        self._system, self._service = system, service
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{system.ports[server or service]}", timeout=120)

    async def __aenter__(self) -> "Answers":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def to(self, question: Question) -> Any:
        organization, path = question
        headers = {HEADER: identity(organization, self._service, self._system)}
        return (await self._http.get(path, headers=headers)).raise_for_status().json()


def identity(organization: str, service: str, system: System) -> str:
    """A member of the organization, for as long as the bench may take."""
    return sign(Caller(organization, "user_bench", "member"), service, system.identity_key, time.time() + A_WHILE)


def load(case: Case, server: str, system: System, home: Path) -> Load:
    """`server` is the case's service or the baseline."""
    questions = case.to_baseline if server == BASELINE else case.questions
    requests = [(path, identity(organization, case.service, system)) for organization, path in questions]
    name = "".join(filter(str.isalnum, f"{case.name}{server}"))
    return Load.of(system.ports[server], requests, home / name)


async def compare(case: Case, system: System) -> int:
    """Number of patients and figures found equal. Ends the bench at the first that differs."""
    step = max(1, len(case.questions) // COMPARED)
    pairs = list(zip(case.questions, case.to_baseline, strict=True))[::step]
    equal = 0
    async with Answers(system, case.service) as ours, Answers(system, case.service, BASELINE) as theirs:
        for question, to_baseline in pairs:
            for _attempt in range(2):  # an appointment may start between the two
                answer, other = await ours.to(question), await theirs.to(to_baseline)
                difference = next(differences(answer, other, case.name), None)
                if difference is None:
                    break
            else:
                raise SystemExit(f"the answers differ: {difference}")
            equal += len(other.get("patients", (1,)))
    return equal


def differences(ours: Any, theirs: Any, where: str) -> Iterator[str]:
    """Over the keys of the baseline, which knows fewer."""
    if isinstance(theirs, dict):
        for key in theirs.keys() - OF_THEIR_MOMENT:
            yield from differences(ours.get(key), theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list) and isinstance(ours, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{where}[{index}]")
    elif ours != theirs:
        yield where
