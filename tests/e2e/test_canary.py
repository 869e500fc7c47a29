"""Marks that stand for patients and keys go every way there is, and none gets out where it does not belong."""

from collections.abc import AsyncIterator

import pytest
from tests.collector import collecting
from tests.conftest import running
from tests.e2e.marked import Clinic, marks_in


@pytest.fixture(scope="module")
async def clinic() -> AsyncIterator[Clinic]:
    """All ways gone, once: success, refusal, Cliniko's errors, the database's, poison, a crash."""
    with collecting() as collector:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_TRACES_SAMPLER_ARG": "1", "LOG_LEVEL": "DEBUG"}
        with running("embedded", **settings) as system:
            clinic = Clinic(system, collector)
            clinic.mark()
            clinic.sync()
            clinic.be_refused()
            clinic.upset_cliniko()
            await clinic.upset_database()
            await clinic.poison()
            clinic.kill_a_consumer()
            yield clinic


def test_marks_are_shown_where_they_belong_and_are_found_in_any_guise(clinic: Clinic) -> None:
    """Else the other tests would find nothing for want of anything to find."""
    assert marks_in(clinic.shown())
    assert marks_in(f"Basic {'TVMwLXF1aWNrc2lsdmVya2V5LWF1NDo='}")
    assert not marks_in("nothing")


def test_no_process_logs_one(clinic: Clinic) -> None:
    logs = clinic.logs()
    assert logs.keys() >= {f"{name}.log" for name in ("gateway", "patients", "sync", "analytics", "admin", "postgres")}
    assert "message failed" in logs["patients.log"]
    assert {name: found for name, text in logs.items() if (found := marks_in(text))} == {}


def test_no_span_holds_one(clinic: Clinic) -> None:
    names = {span.name for span in clinic.collector.spans}
    assert names >= {"GET /patients", "GET /user", "handle sync.patients.synced.v1", "run comprehensive"}
    errors = {span.attributes.get("error.type") for span in clinic.collector.spans}
    assert errors >= {"IntegrityError", "ValidationError", "CredentialsRefused"}
    assert [found for text in clinic.collector.texts for found in marks_in(text)] == []


def test_no_metric_names_one(clinic: Clinic) -> None:
    assert [found for text in clinic.metrics() for found in marks_in(text)] == []


def test_no_dead_letter_bears_one_outside_its_body(clinic: Clinic) -> None:
    assert clinic.dead_letters
    assert [found for text in clinic.dead_letters for found in marks_in(text)] == []


def test_no_answer_repeats_one(clinic: Clinic) -> None:
    assert [found for text in clinic.answers for found in marks_in(text)] == []
