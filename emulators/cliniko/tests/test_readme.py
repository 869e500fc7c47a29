"""The README's table of faults is not only prose: every request in it is understood."""

import json
import re
from pathlib import Path
from typing import Any

README = Path(__file__).parents[1] / "README.md"
REQUEST = re.compile(r"`(?:(POST|PATCH) (\w+) )?(\{\"[^`]*\})`")


def test_every_request_of_the_readme_is_understood(steered: Any) -> None:
    table = README.read_text().split("## Every fault and its request")[1]
    requests = REQUEST.findall(table)
    assert len(requests) > 40
    for method, path, body in requests:
        answer = steered.control.request(method or "POST", path or "faults", json=json.loads(body))
        assert answer.is_success, (body, answer.text)
    assert set(range(1, 19)) <= {int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)}
