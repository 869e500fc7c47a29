"""A command goes by what is running, not by its own environment."""

import json
import os

import pytest

from routiq.background import describe, make_plan
from routiq.failures import ReportedError
from routiq.pids import Pid
from routiq.settings import PORTS
from routiq.state import Record, StateDirectory

OUTSIDE = {"DATABASE_URL": "postgresql://u@127.0.0.1/one", "AMQP_URL": "amqp://127.0.0.1:9/"}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*OUTSIDE, "CREDENTIALS_KEYS", *(setting for setting, _ in PORTS.values())):
        monkeypatch.delenv(name, raising=False)


def started(state: StateDirectory, monkeypatch: pytest.MonkeyPatch, **environment: str) -> Record:
    """What `up` writes down when it is given this environment, read again."""
    with monkeypatch.context() as patched:
        for name, value in environment.items():
            patched.setenv(name, value)
        state.write(describe(make_plan(state)))
    record = state.read()
    assert record is not None
    return record


def test_ports_given_to_up_alone_are_known_later(state: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    record = started(state, monkeypatch, **OUTSIDE, PORT="23456", ADMIN_PORT="23457")
    monkeypatch.setenv("PORT", "1")
    for name, value in OUTSIDE.items():
        monkeypatch.setenv(name, value)
    plan = make_plan(state, record)
    assert plan.gateway_url == "http://127.0.0.1:23456"
    assert plan.program("admin").port == 23457


def test_a_database_given_to_up_alone_is_asked_for(state: StateDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    record = started(state, monkeypatch, **OUTSIDE)
    with pytest.raises(ReportedError, match="started with DATABASE_URL and AMQP_URL"):
        make_plan(state, record)
    assert "one" not in (state.path / "state.json").read_text()


def test_a_broker_given_afterwards_is_not_the_one_that_runs(
    state: StateDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = started(state, monkeypatch, DATABASE_URL=OUTSIDE["DATABASE_URL"], ROUTIQ_BROKER="embedded")
    for name, value in OUTSIDE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ROUTIQ_BROKER", "embedded")
    assert make_plan(state, record).broker_url != OUTSIDE["AMQP_URL"]


def test_a_record_of_an_earlier_version_is_read_still(state: StateDirectory) -> None:
    state.write(Record(supervisor=Pid.of(os.getpid())))
    fields = json.loads((state.path / "state.json").read_text())
    del fields["ports"], fields["given"]
    record = Record.from_json(json.dumps(fields))
    assert (record.ports, record.given) == ({}, [])
