"""What docker-compose.yml promises, read without Docker."""

import importlib
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from tests.deploy import composition
from tests.deploy.composition import OURS, SERVICES

from chassis.settings import ServiceSettings, Settings
from routiq.plan import ADMIN_SETTINGS, GATEWAY_SETTINGS, SYNC_SETTINGS, TRACE_SETTINGS

GIVEN = {name: f"given-{name.lower()}" for name in composition.required()}
SECRET = re.compile(r"PASSWORD|SECRET|KEY")
READ_BY_A_LIBRARY = {"OTEL_EXPORTER_OTLP_HEADERS"}  # OpenTelemetry's exporter looks for it itself
NEVER_IN_COMPOSE = {"REDIS_URL", "APP_ENV", "TRUSTED_PROXIES"}  # the file knows them itself

EVERY = composition.services(GIVEN)
BUILT = [container["image"] for container in EVERY.values() if "build" in container]
RABBITMQ = composition.WORKSPACE / "deploy" / "rabbitmq" / "rabbitmq.conf"


@pytest.fixture(params=EVERY)
def container(request: pytest.FixtureRequest) -> dict[str, Any]:
    return EVERY[request.param]


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def settings_of(service: str) -> type[Settings]:
    try:
        found: type[Settings] = importlib.import_module(f"{service}.settings").Settings
    except ModuleNotFoundError:  # it has none beyond what every service is told
        return ServiceSettings
    return found


def test_the_file_is_what_the_compose_specification_allows() -> None:
    package = find_spec("check_jsonschema")
    if package is None or package.origin is None:
        pytest.skip("check-jsonschema is not installed, which brings the specification's schema")
    schema = Path(package.origin).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(composition.read(GIVEN), json.loads(schema.read_text()))


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_without_a_required_variable_nothing_starts(name: str) -> None:
    with pytest.raises(composition.NotSet, match=rf"^{name}: \w+"):
        composition.read({**GIVEN, name: ""})


def test_no_secret_has_a_default() -> None:
    secrets = {(name, kind) for name, kind, _ in composition.variables() if SECRET.search(name)}
    assert len(secrets) >= 15
    assert {kind for _, kind in secrets} == {"?"}


def test_no_secret_is_written_down() -> None:
    for name, container in composition.raw()["services"].items():
        for setting, value in container.get("environment", {}).items():
            written = composition.VARIABLE.sub("", value)
            assert not SECRET.search(setting) or not written, f"{name} {setting}"
            assert not re.search(r"://[^/]*:[^/@]+@", written), f"{name} {setting}"


def test_what_a_service_is_told_are_settings_it_has(service: str) -> None:
    known = {name.upper() for name in settings_of(service).model_fields} | READ_BY_A_LIBRARY
    assert set(EVERY[service]["environment"]) <= known


def test_a_service_is_told_what_it_cannot_do_without(service: str) -> None:
    needed = {name.upper() for name, field in settings_of(service).model_fields.items() if field.is_required()}
    assert needed <= set(EVERY[service]["environment"])


def test_what_can_be_set_for_make_up_can_be_set_here() -> None:
    settable = {*GATEWAY_SETTINGS, *SYNC_SETTINGS, *ADMIN_SETTINGS, *TRACE_SETTINGS} - NEVER_IN_COMPOSE
    assert settable <= {name for name, _, _ in composition.variables()}


def test_what_the_readme_lists_can_be_set_here_unless_the_file_knows_it_itself() -> None:
    rows = re.findall(r"^\| (`[A-Z].*?) \|", (composition.WORKSPACE / "README.md").read_text(), re.MULTILINE)
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    known = {name for name in listed if re.search(r"PORT$|^ROUTIQ_|AMQP|^DATABASE_URL$|^REDIS_URL$", name)}
    assert {"PORT", "CLERK_JWKS_URL"} <= listed
    assert listed - known <= {name for name, _, _ in composition.variables()}


def test_a_service_has_its_own_role_and_user_only(service: str) -> None:
    for url in ("DATABASE_URL", "AMQP_URL"):
        address = EVERY[service]["environment"].get(url, "")
        assert not address or f"//routiq_{service}:given-{service}_" in address


def test_a_container_writes_into_its_volumes_only_and_can_gain_no_power(container: dict[str, Any]) -> None:
    assert container["read_only"]
    assert container["cap_drop"] == ["ALL"]
    assert set(container.get("cap_add", ())) <= {"NET_BIND_SERVICE"}
    assert not any("docker.sock" in volume for volume in container.get("volumes", ()))
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert container["mem_limit"]
    assert container["restart"]


@pytest.mark.parametrize("name", OURS)
def test_our_own_programs_never_run_as_root(name: str) -> None:
    assert EVERY[name]["user"] == "10001:10001"


def test_a_container_that_stays_has_a_health_check(container: dict[str, Any]) -> None:
    assert ("healthcheck" in container) == (container["restart"] == "unless-stopped")


def test_what_others_made_is_pinned_and_what_is_ours_is_not_asked_of_others(container: dict[str, Any]) -> None:
    ours = container["image"] in BUILT
    assert ours or re.search(r":v?\d+\.\d+", container["image"])
    assert "build" in container or not ours or container["pull_policy"] == "never"


def test_an_image_is_built_by_one_service_only() -> None:
    assert len(BUILT) == len(set(BUILT))


def test_rabbitmq_keeps_publishers_waiting_before_its_memory_ends() -> None:
    """A third is left for what it needs beside messages."""
    (watermark,) = re.findall(r"^vm_memory_high_watermark\.absolute = (\d+)MB$", RABBITMQ.read_text(), re.MULTILINE)
    assert EVERY["rabbitmq"]["mem_limit"] == "1g"
    assert int(watermark) * 10**6 < 2**30 * 2 / 3


def test_the_world_reaches_traefik_only() -> None:
    published = {name: container["ports"] for name, container in EVERY.items() if "ports" in container}
    assert published.pop("traefik") == ["0.0.0.0:80:80", "0.0.0.0:443:443"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_traefik_reaches_the_gateway_only() -> None:
    assert EVERY["traefik"]["networks"] == ["edge"]
    assert {name for name, container in EVERY.items() if "edge" in container["networks"]} == {"traefik", "gateway"}


def test_who_need_not_reach_the_world_cannot() -> None:
    networks = composition.read(GIVEN)["networks"]
    closed = {name for name, network in networks.items() if network.get("internal")}
    outward = {name for name, container in EVERY.items() if set(container["networks"]) - closed}
    assert outward == {"traefik", "gateway", "sync", "prometheus", "grafana"}


def test_every_service_waits_for_the_migrations(service: str) -> None:
    waits = EVERY[service]["depends_on"]
    behind_others = {"patients", "sync", "analytics", "admin"} <= set(waits)
    assert behind_others or waits["migrations"] == {"condition": "service_completed_successfully"}


def test_what_runs_once_is_waited_for() -> None:
    """Else `docker compose up --wait` takes its end for a failure."""
    once = {name for name, container in EVERY.items() if container["restart"] != "unless-stopped"}
    waited = {
        name
        for container in EVERY.values()
        for name, wait in container.get("depends_on", {}).items()
        if wait["condition"] == "service_completed_successfully"
    }
    assert once == waited == {"migrations", "clinics"}


def test_what_is_mounted_is_there(container: dict[str, Any]) -> None:
    mounted = [volume.split(":")[0] for volume in container.get("volumes", ())]
    assert all((composition.WORKSPACE / path).exists() for path in mounted if path.startswith("."))


def test_an_upgrade_has_all_that_the_new_services_need_before_it_stops_an_old_one() -> None:
    _, *steps, last = composition.upgrade()
    import_line = re.compile(r"^docker compose exec rabbitmq .*import_definitions.*$", re.MULTILINE)
    (definitions,) = import_line.findall((composition.WORKSPACE / "docs" / "secrets.md").read_text())
    assert last == "docker compose up --detach --wait"
    assert steps == [
        "docker compose build",
        "docker compose run --rm --no-deps migrations",
        definitions,
        "docker compose kill --signal HUP prometheus",
    ]
    assert "./deploy/rabbitmq:/etc/routiq:ro" in EVERY["rabbitmq"]["volumes"]  # a folder: git's new files are seen


def test_what_tests_publish_beside_it_is_of_services_and_networks_that_are_there() -> None:
    beside = yaml.safe_load((composition.WORKSPACE / "tests" / "deploy" / "published.yml").read_text())["services"]
    assert set(beside) <= set(EVERY)
    for name, container in beside.items():
        assert set(container.get("networks", EVERY[name]["networks"])) >= set(EVERY[name]["networks"])
        assert all(port.startswith("127.0.0.1:") for port in container["ports"])
