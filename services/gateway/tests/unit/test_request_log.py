import io
import sys
from typing import Any

import pytest

from gateway.adapters.request_log import RequestLog


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError("no space left")


async def test_lines_that_cannot_be_written_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    log = RequestLog("gateway")
    monkeypatch.setattr(sys, "stdout", Full())
    note(log, "1")
    with pytest.raises(OSError, match="no space"):
        log.write()
    monkeypatch.undo()
    note(log, "2")
    log.write()
    (line,) = capsys.readouterr().out.splitlines()
    assert '"request_id":"2"' in line


def note(log: RequestLog, request_id: str) -> None:
    log.note(request_id, None, "/", "GET", 200, "complete", 1.0)
