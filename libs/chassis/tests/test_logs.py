import json
import logging
import subprocess
import sys
from typing import Any

from chassis.logs import allow_listed, describe

CANARY = "Canary Quicksilver"


def lines_of(script: str) -> list[dict[str, Any]]:
    """Logging configures the whole process, so it is tried in one of its own."""
    preamble = "import logging, structlog\nfrom chassis import logs\nlogs.configure('trial', 'INFO')\n"
    done = subprocess.run([sys.executable, "-c", preamble + script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_line_is_json_with_the_service_and_the_context() -> None:
    (line,) = lines_of(
        "structlog.contextvars.bind_contextvars(request_id='r1')\n"
        "structlog.get_logger().info('message', queue='q', duration_ms=1.5)"
    )
    assert line.pop("timestamp").endswith("Z")
    expected = {"service": "trial", "event": "message", "level": "info", "request_id": "r1"}
    assert line == {**expected, "queue": "q", "duration_ms": 1.5}


def test_a_line_is_written_whatever_is_in_it() -> None:
    (line,) = lines_of("structlog.get_logger().info('x', reason='\\ud83d', error='\\n\\u2028é', outcome=None)")
    assert (line["reason"], line["error"], line["outcome"]) == ("\ud83d", "\n\u2028é", None)


def test_only_fields_on_the_list_and_only_plain_short_values_pass() -> None:
    entry = {"event": "x", "first_name": CANARY, "queue": [CANARY], "reason": CANARY * 50, "status": 200}
    assert allow_listed(None, "info", entry) == {
        "event": "x",
        "status": 200,
        "dropped": ["first_name", "queue", "reason"],
    }


def test_an_exception_is_told_by_type_and_place_never_by_its_text() -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        described = describe(error)
    assert described["error"] == "ValueError"
    assert "test_logs.py" in described["where"]
    assert CANARY not in json.dumps(described)


def test_a_library_cannot_smuggle_data_out_in_a_message_or_an_exception() -> None:
    lines = lines_of(
        f"logging.getLogger('faststream').error('bad message {CANARY}')\n"
        "try:\n"
        f"    raise ValueError('{CANARY}')\n"
        "except ValueError:\n"
        f"    logging.getLogger('sqlalchemy.engine').exception('{CANARY}')\n"
        "    structlog.get_logger().exception('request failed')\n"
        "    logging.getLogger('uvicorn.error').exception('Exception in ASGI application')"
    )
    assert len(lines) == 4
    assert CANARY not in json.dumps(lines)
    assert [line.get("error") for line in lines] == [None, "ValueError", None, "ValueError"]


def test_levels_below_the_setting_are_silent() -> None:
    assert lines_of("structlog.get_logger().debug('x'); logging.getLogger('a').debug('x')") == []
    assert logging.getLevelNamesMapping()["INFO"] == logging.INFO
