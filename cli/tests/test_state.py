import os
from pathlib import Path

import pytest

from routiq.failures import ReportedError
from routiq.pids import Pid
from routiq.state import ProcessRecord, Record, StateDirectory


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_nobody_else_can_look_into_the_state(state: StateDirectory) -> None:
    state.secrets(roles=("sync",))
    state.write(Record(supervisor=Pid.of(os.getpid())))
    assert {mode(path) for path in (state.path, state.logs)} == {0o700}
    assert {mode(path) for path in state.path.glob("*.json")} == {0o600}


def test_a_directory_left_open_is_closed(state: StateDirectory) -> None:
    state.path.chmod(0o755)
    state.create()
    assert mode(state.path) == 0o700


def test_secrets_are_made_once(state: StateDirectory) -> None:
    first = state.secrets(roles=("sync", "admin"))
    assert StateDirectory(state.path).secrets(roles=("sync", "admin")) == first
    assert set(first.role_passwords) == {"sync", "admin"}


def test_what_is_recorded_reads_back_the_same(state: StateDirectory) -> None:
    record = Record(supervisor=Pid.of(os.getpid()), clerk_url="http://127.0.0.1:8011")
    record.processes = [
        ProcessRecord("sync", 8002, str(state.log("sync")), "ready", Pid(77, "123"), 1.5, 0.5),
        ProcessRecord("epmd", None, str(state.log("epmd"))),
    ]
    state.write(record)
    assert state.read() == record


def test_logs_of_the_run_before_are_kept_beside_the_new_ones(state: StateDirectory) -> None:
    state.log("sync").write_text("old")
    state.begin_logs()
    assert not state.log("sync").exists()
    assert (state.logs / "sync.log.1").read_text() == "old"


def test_another_process_with_the_same_number_is_left_alone() -> None:
    recycled = Pid(os.getpid(), "long ago")
    assert not recycled.alive()
    recycled.kill_group()  # this test run would not survive it


def test_a_second_start_at_the_same_moment_is_refused(tmp_path: Path) -> None:
    first, second = StateDirectory(tmp_path), StateDirectory(tmp_path)
    with first.starting():
        with pytest.raises(ReportedError, match="being started"), second.starting():
            pass
    with second.starting():
        pass
