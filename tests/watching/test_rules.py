"""The rules for Prometheus, without a running system."""

import re
import subprocess

import pytest
from tests.watching.prometheus import DEPLOYED, PORTS

from routiq.settings import PORTS as DEFAULT_PORTS

FOLDER = DEPLOYED / "prometheus"
RULES, TESTS = (FOLDER / "rules.yml").read_text(), (FOLDER / "rules_test.yml").read_text()
ALERTS = re.findall(r"- alert: (\w+)", RULES)


def test_every_alert_is_silent_and_raised_when_it_should_be(promtool: str) -> None:
    result = subprocess.run(
        [promtool, "test", "rules", FOLDER / "rules_test.yml"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("configuration", ["prometheus.yml", "local.yml"])
def test_the_configuration_is_one(promtool: str, configuration: str) -> None:
    result = subprocess.run(
        [promtool, "check", "config", FOLDER / configuration], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(ALERTS)} rules found" in result.stdout


@pytest.mark.parametrize("alert", ALERTS)
def test_each_alert_is_tried_both_ways_and_says_how_bad_it_is_and_what_to_do(alert: str) -> None:
    assert ALERTS.count(alert) == 1
    assert re.search(rf"eval_time: \w+, alertname: {alert}}}", TESTS), "never tried silent"
    assert re.search(rf"eval_time: \w+\n +alertname: {alert}\n +exp_alerts:\n +- exp_labels", TESTS), "never raised"
    told = RULES.partition(f"- alert: {alert}\n")[2].partition("- alert:")[0]
    assert re.search(r"labels: \{severity: (critical|warning)\}", told)
    assert re.search(r'summary: "[A-Z{].+\."', told)
    assert f"runbook: docs/runbooks/{alert}.md\n" in told


def test_what_is_watched_here_is_what_is_watched_there_with_the_ports_a_machine_has() -> None:
    assert set(PORTS) == {
        f"{name}:{DEFAULT_PORTS[name][1]}" for name in ("gateway", "patients", "sync", "analytics", "admin")
    }
    there, here = ((FOLDER / name).read_text().partition("global:")[2] for name in ("prometheus.yml", "local.yml"))
    for target in PORTS:
        there = there.replace(target, f"127.0.0.1:{target.partition(':')[2]}")
    assert here == there
