"""Writes who may speak to whom and what scales by what: `.venv/bin/python deploy/kubernetes/generate.py [FOLDER]`.

From the map of events and the gateway's map of paths: a new route of either is a rule here once this has run.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from contracts.routes import ROUTES, received_by
from gateway.domain.routing import GATEWAY
from gateway.domain.routing import ROUTES as PATHS

Item = dict[str, Any]

NAME = "app.kubernetes.io/name"
SERVED = sorted({path.service for path in PATHS} - {GATEWAY})
"""Whom the gateway asks. Each keeps records and hears events."""
SERVICES = [GATEWAY, *SERVED]
TELLING = {route.producer for route in ROUTES}.union(*(route.consumers for route in ROUTES))
OUTWARD = {GATEWAY: "Clerk", "sync": "Cliniko"}
POSTGRES, RABBITMQ, VALKEY, HTTPS, OTLP, DNS = 5432, 5672, 6379, 443, 4318, 53
SERVERS = {
    "postgres": (POSTGRES, [*SERVED, "migrations"]),
    "rabbitmq": (RABBITMQ, [service for service in SERVICES if service in TELLING]),
    "valkey": (VALKEY, [GATEWAY]),
}
"""In our namespace, though not of ours: the port, and who has the address."""
PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"]
"""Never what is meant by the world: the cluster itself, and the addresses that give a node's credentials away."""

PROMETHEUS = "http://prometheus-operated.monitoring.svc:9090"
MESSAGES_EACH = 400
"""Ten times what a consumer takes at hand: 40,000 records, about a second's work of one replica (docs/growth.md)."""
CLINICS_EACH = 4
"""The runs that one replica of the sync works on at once."""
REPLICAS = {GATEWAY: (2, 12), "patients": (2, 3), "sync": (2, 6), "analytics": (2, 3), "admin": (2, 11)}
"""At least and at most. All at their most, while each restarts, fit into the connections that docs/growth.md asks of
PostgreSQL: who raises one of these raises that too."""


def policies() -> list[Item]:
    """What is not named here is not allowed, in either direction."""
    nothing = {"podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "routiq"}}}
    closed = _item("networking.k8s.io/v1", "NetworkPolicy", "closed", nothing | {"policyTypes": ["Ingress", "Egress"]})
    migrations = _named_policy("migrations", [], [_to("postgres", POSTGRES)])
    return [closed, *map(_policy, SERVICES), migrations, *map(_server_policy, SERVERS)]


def scalers() -> list[Item]:
    """The gateway by its CPU; who hears events by what waits in each queue, and by CPU, as they answer requests too."""
    return [_gateway_scaler(), *map(_scaler, SERVED)]


def _policy(service: str) -> Item:
    callers = (
        {"namespaceSelector": _is("kubernetes.io/metadata.name", "traefik")} if service == GATEWAY else _pods(GATEWAY)
    )
    watching = {"namespaceSelector": _is("kubernetes.io/metadata.name", "monitoring"), **_pods("prometheus")}
    entering = [{"from": [caller], "ports": [{"port": "http"}]} for caller in (callers, watching)]
    return _named_policy(service, entering, list(_leaving(service)))


def _server_policy(server: str) -> Item:
    """Who enters is who has its address, and its own nodes; where it goes itself is not ours to say."""
    port, callers = SERVERS[server]
    entering = [{"from": [*map(_pods, callers)], "ports": [{"port": port}]}, {"from": [_pods(server)]}]
    spec = {**_pods(server), "policyTypes": ["Ingress"], "ingress": entering}
    return _item("networking.k8s.io/v1", "NetworkPolicy", server, spec)


def _leaving(service: str) -> Iterable[Item]:
    if service == GATEWAY:
        yield from ({"to": [_pods(other)], "ports": [{"port": "http"}]} for other in SERVED)
        yield _to("valkey", VALKEY)
    else:
        yield _to("postgres", POSTGRES)
    if service in TELLING:
        yield _to("rabbitmq", RABBITMQ)
    if service in OUTWARD:
        yield {"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": PRIVATE}}], "ports": [{"port": HTTPS}]}
    collector = {
        "namespaceSelector": _is("kubernetes.io/metadata.name", "monitoring"),
        **_pods("opentelemetry-collector"),
    }
    yield {"to": [collector], "ports": [{"port": OTLP}]}


def _named_policy(name: str, entering: list[Item], leaving: list[Item]) -> Item:
    names = {
        "namespaceSelector": _is("kubernetes.io/metadata.name", "kube-system"),
        "podSelector": _is("k8s-app", "kube-dns"),
    }
    asking = {"to": [names], "ports": [{"port": DNS, "protocol": protocol} for protocol in ("UDP", "TCP")]}
    spec = {**_pods(name), "policyTypes": ["Ingress", "Egress"], "ingress": entering, "egress": [asking, *leaving]}
    return _item("networking.k8s.io/v1", "NetworkPolicy", name, spec)


def _gateway_scaler() -> Item:
    fewest, most = REPLICAS[GATEWAY]
    target = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": GATEWAY}}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}
    spec = {**target, "minReplicas": fewest, "maxReplicas": most, "metrics": [cpu], "behavior": _calm()}
    return _item("autoscaling/v2", "HorizontalPodAutoscaler", GATEWAY, spec)


def _scaler(service: str) -> Item:
    fewest, most = REPLICAS[service]
    waiting = [
        _measured(f'max(routiq_queue_messages{{queue="{route.queue(service)}"}})', MESSAGES_EACH)
        for route in received_by(service)
    ]
    due = [_measured("max(routiq_sync_due_clinics)", CLINICS_EACH)] if service == "sync" else []
    cpu = {"type": "cpu", "metricType": "Utilization", "metadata": {"value": "70"}}
    spec = {
        "scaleTargetRef": {"name": service},
        "minReplicaCount": fewest,
        "maxReplicaCount": most,
        "advanced": {"horizontalPodAutoscalerConfig": {"behavior": _calm()}},
        "triggers": [cpu, *waiting, *due],
    }
    return _item("keda.sh/v1alpha1", "ScaledObject", service, spec)


def _measured(query: str, each: int) -> Item:
    return {"type": "prometheus", "metadata": {"serverAddress": PROMETHEUS, "query": query, "threshold": str(each)}}


def _calm() -> Item:
    """One replica less a minute, and only after five quiet ones: an empty queue fills with the next sweep."""
    step = {"type": "Pods", "value": 1, "periodSeconds": 60}
    return {"scaleDown": {"stabilizationWindowSeconds": 300, "policies": [step]}}


def _to(server: str, port: int) -> Item:
    return {"to": [_pods(server)], "ports": [{"port": port}]}


def _pods(name: str) -> Item:
    return {"podSelector": _is(NAME, name)}


def _is(label: str, value: str) -> Item:
    return {"matchLabels": {label: value}}


def _item(version: str, kind: str, name: str, spec: Item) -> Item:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": {NAME: name}}, "spec": spec}


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        """Written out each time."""
        return True


def _write(place: Path, items: list[Item]) -> None:
    text = yaml.dump_all(items, Dumper=_Plain, sort_keys=False, width=150)
    place.write_text(f"# Made by deploy/kubernetes/generate.py.\n{text}")


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent / "base"
    _write(folder / "network.yaml", policies())
    _write(folder / "scaling.yaml", scalers())
