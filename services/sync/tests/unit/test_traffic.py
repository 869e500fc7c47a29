"""What is told of the requests to Cliniko."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from sync.adapters.accounts import Accounts
from sync.adapters.traffic import OUTCOMES
from sync.domain.clinic import ClinikoError


def counted() -> dict[str, float]:
    value = REGISTRY.get_sample_value
    return {outcome: value("routiq_cliniko_requests_total", {"outcome": outcome}) or 0 for outcome in OUTCOMES}


async def test_requests_are_counted_by_what_came_of_them(scripted: Any, answer: Any) -> None:
    statuses = [200, 429, 503, 401, 404, 400]
    scripted.answers = lambda _: answer(statuses.pop(0), {})
    accounts, before = Accounts(scripted.template, "test@routiq.example"), counted()
    await accounts.probe("MS0-clinic0-au4").check()
    for number in range(1, 6):
        with pytest.raises(ClinikoError):
            await accounts.probe(f"MS0-clinic{number}-au4").check()
    await accounts.close()
    added = {outcome: count - before[outcome] for outcome, count in counted().items() if count > before[outcome]}
    assert added == {"answered": 1, "limited": 1, "failed": 1, "unauthorized": 1, "refused": 2}
