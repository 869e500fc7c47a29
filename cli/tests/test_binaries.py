"""Which of PostgreSQL's programs are used with which server."""

import subprocess
from pathlib import Path

import pytest

from routiq.failures import ReportedError
from routiq.servers.binaries import Choice, client_programs, find


@pytest.mark.parametrize("choice", ["installed", "embedded"])
def test_a_server_is_copied_by_the_programs_of_its_own_version(choice: Choice, tmp_path: Path) -> None:
    try:
        server = find(tmp_path, None, choice)
    except ReportedError:
        pytest.skip(f"there is no PostgreSQL {choice}")
    directory = client_programs(int(server.major))
    for program in ("pg_dump", "pg_restore"):
        said = subprocess.run([directory / program, "--version"], capture_output=True, text=True, check=True).stdout
        assert f" {server.major}." in said


def test_where_there_are_none_it_says_what_to_install() -> None:
    with pytest.raises(ReportedError, match=r"PostgreSQL 99, .*postgresql-client-99"):
        client_programs(99)
