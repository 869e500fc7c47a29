"""What deploy/kubernetes promises, built and read without a cluster."""

import importlib
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from jsonschema import ValidationError
from tests.deploy import composition
from tests.deploy.composition import SERVICES
from tests.deploy.manifests import KUBERNETES, NAME, built, built_by_kubectl, by_name, connections, container, ends
from tests.deploy.schemas import check

from chassis.health import health_routes
from chassis.settings import ServiceSettings, Settings
from contracts.routes import received_by
from gateway.domain.routing import GATEWAY, ROUTES

READ_BY_A_LIBRARY = {"OTEL_EXPORTER_OTLP_HEADERS"}
COMPOSED = composition.services(dict.fromkeys(composition.required(), "given"))
BEHIND = SERVICES[1:]


@pytest.fixture(params=["production", "staging"])
def items(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return built(request.param)


@pytest.fixture(params=SERVICES)
def service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def settings_of(service: str) -> type[Settings]:
    if find_spec(f"{service}.settings") is None:
        return ServiceSettings
    found: type[Settings] = importlib.import_module(f"{service}.settings").Settings
    return found


def environment(workload: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in container(workload)["env"]}


def paths_of_health(service: str) -> set[str]:
    if service == GATEWAY:
        return {route.template for route in ROUTES}
    return {route.path for route in health_routes({}).routes if isinstance(route, APIRoute)}


def test_every_resource_is_what_its_schema_allows(items: list[dict[str, Any]]) -> None:
    for item in items:
        check(item)


def test_a_misspelt_or_missing_field_is_noticed_in_every_kind() -> None:
    kinds = {item["kind"]: item for item in built("production")}
    assert {"Deployment", "NetworkPolicy", "ScaledObject", "PodMonitor"} <= set(kinds)
    for item in kinds.values():
        with pytest.raises(ValidationError, match="slip"):
            check(item | {"slip": 1})
        if "spec" in item:
            with pytest.raises(ValidationError, match="slip"):
                check(item | {"spec": item["spec"] | {"slip": 1}})
    with pytest.raises(ValidationError, match="triggers"):
        check(kinds["ScaledObject"] | {"spec": {"scaleTargetRef": {"name": "sync"}}})


@pytest.mark.parametrize("overlay", ["production", "staging"])
def test_kubectl_builds_the_same(overlay: str) -> None:
    """Where it is; everywhere else, what we read is our own building of it."""
    ours, its = built(overlay), built_by_kubectl(overlay)
    assert _sorted(ours) == _sorted(its)


def _sorted(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(items, key=lambda item: (item["kind"], item["metadata"]["name"]))


def test_policies_and_scaling_are_what_the_route_map_says(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(KUBERNETES / "generate.py"), str(tmp_path)], check=True)
    for made in tmp_path.iterdir():
        assert made.read_text() == (KUBERNETES / "base" / made.name).read_text(), "run deploy/kubernetes/generate.py"


def test_a_service_is_told_all_it_needs_and_only_what_it_knows(items: list[dict[str, Any]], service: str) -> None:
    fields = settings_of(service).model_fields
    told = set(environment(by_name(items, "Deployment")[service]))
    assert {name.upper() for name, field in fields.items() if field.is_required()} <= told
    assert told <= {name.upper() for name in fields} | READ_BY_A_LIBRARY


def test_a_service_is_told_what_the_compose_file_tells_it(items: list[dict[str, Any]], service: str) -> None:
    told = environment(by_name(items, "Deployment")[service])
    composed = COMPOSED[service]["environment"]
    assert set(composed) - {"CLINIKO_API_URL"} == set(told)  # empty there: Cliniko itself
    assert {name: composed[name] for name, variable in told.items() if "value" in variable} == {
        name: variable["value"] for name, variable in told.items() if "value" in variable
    }


def test_what_is_started_is_what_the_compose_file_starts(items: list[dict[str, Any]]) -> None:
    workloads = {**by_name(items, "Deployment"), **by_name(items, "Job")}
    assert {name: container(one)["command"] for name, one in workloads.items()} == {
        name: COMPOSED[name]["command"] for name in (*SERVICES, "migrations")
    }
    assert set(environment(workloads["migrations"])) == set(COMPOSED["migrations"]["environment"])


def test_secrets_are_named_and_settings_are_there(items: list[dict[str, Any]]) -> None:
    (settings,) = by_name(items, "ConfigMap").values()
    for name, workload in {**by_name(items, "Deployment"), **by_name(items, "Job")}.items():
        for variable in environment(workload).values():
            source = variable.get("valueFrom", {})
            assert source.get("configMapKeyRef", {"key": "LOG_LEVEL"})["key"] in settings["data"]
            own = {name, "identity", "traces"}
            assert source.get("secretKeyRef", {"name": name})["name"] in own, "another's secret"
    assert not by_name(items, "Secret")


def test_a_service_is_asked_on_paths_that_it_has(items: list[dict[str, Any]], service: str) -> None:
    only = container(by_name(items, "Deployment")[service])
    probes = {only[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe", "livenessProbe")}
    assert probes == {"/health/live", "/health/ready"} <= paths_of_health(service)
    assert only["readinessProbe"]["httpGet"] == {"path": "/health/ready", "port": "http"}
    assert {"name": "http", "containerPort": int(environment_value(only, "PORT"))} in only["ports"]


def environment_value(only: dict[str, Any], name: str) -> str:
    (value,) = (variable["value"] for variable in only["env"] if variable["name"] == name)
    return str(value)


def test_a_pod_has_the_time_to_finish_that_the_compose_file_gives_after_it_is_told(
    items: list[dict[str, Any]], service: str
) -> None:
    pod = by_name(items, "Deployment")[service]["spec"]["template"]["spec"]
    before = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] >= before + composition.seconds(COMPOSED[service]["stop_grace_period"])


def test_nothing_runs_as_root_or_can_gain_power(items: list[dict[str, Any]]) -> None:
    for workload in (*by_name(items, "Deployment").values(), *by_name(items, "Job").values()):
        pod, only = workload["spec"]["template"]["spec"], container(workload)
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] == 10001
        assert not pod["automountServiceAccountToken"]
        assert only["securityContext"]["readOnlyRootFilesystem"]
        assert not only["securityContext"]["allowPrivilegeEscalation"]
        assert only["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert only["resources"]["requests"]
        assert only["resources"]["limits"]["memory"]


def test_a_service_has_a_budget_an_address_and_something_that_scales_it(
    items: list[dict[str, Any]], service: str
) -> None:
    labels = by_name(items, "Deployment")[service]["spec"]["template"]["metadata"]["labels"]
    assert by_name(items, "PodDisruptionBudget")[service]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert by_name(items, "Service")[service]["spec"]["selector"] == {NAME: labels[NAME]}
    scaled = by_name(items, "HorizontalPodAutoscaler" if service == GATEWAY else "ScaledObject")
    assert scaled[service]["spec"]["scaleTargetRef"]["name"] == service


def test_every_queue_scales_its_consumer(items: list[dict[str, Any]]) -> None:
    for service, scaled in by_name(items, "ScaledObject").items():
        queries = [trigger["metadata"].get("query", "") for trigger in scaled["spec"]["triggers"]]
        for route in received_by(service):
            assert f'max(routiq_queue_messages{{queue="{route.queue(service)}"}})' in queries


def test_a_service_reaches_what_its_addresses_name_and_nothing_else(items: list[dict[str, Any]]) -> None:
    inside = {(GATEWAY, service, "http") for service in BEHIND} | {(GATEWAY, "valkey", 6379)}
    servers = {(service, "rabbitmq", 5672) for service in SERVICES} | {
        (service, "postgres", 5432) for service in (*BEHIND, "migrations")
    }
    world = {(GATEWAY, "world", 443), ("sync", "world", 443), ("traefik", GATEWAY, "http")}
    watching = {("prometheus", service, "http") for service in SERVICES} | {
        (service, "opentelemetry-collector", 4318) for service in SERVICES
    }
    names = {(name, "kube-dns", 53) for name in (*SERVICES, "migrations")}
    assert connections(items) == inside | servers | world | watching | names


def test_who_keeps_records_lets_in_those_who_have_its_address_and_its_own_nodes(items: list[dict[str, Any]]) -> None:
    policies = by_name(items, "NetworkPolicy")
    for server, (port, address) in {
        "postgres": (5432, "DATABASE_URL"),
        "rabbitmq": (5672, "AMQP_URL"),
        "valkey": (6379, "REDIS_URL"),
    }.items():
        workloads = {**by_name(items, "Deployment"), **by_name(items, "Job")}
        callers = {name for name, workload in workloads.items() if address in environment(workload)}
        assert policies[server]["spec"]["podSelector"] == {"matchLabels": {NAME: server}}
        assert set(ends(policies[server], "ingress", "from")) == {(name, port) for name in callers} | {(server, "*")}


def test_what_no_policy_names_is_closed(items: list[dict[str, Any]]) -> None:
    closed = by_name(items, "NetworkPolicy")["closed"]["spec"]
    assert closed == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "routiq"}},
        "policyTypes": ["Ingress", "Egress"],
    }
    for workload in (*by_name(items, "Deployment").values(), *by_name(items, "Job").values()):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert closed["podSelector"]["matchLabels"].items() <= labels.items()


def test_the_gateway_knows_the_services_by_their_addresses(items: list[dict[str, Any]]) -> None:
    told = environment(by_name(items, "Deployment")[GATEWAY])
    for name in BEHIND:
        (port,) = by_name(items, "Service")[name]["spec"]["ports"]
        assert told[f"{name.upper()}_URL"]["value"] == f"http://{name}:{port['port']}"
