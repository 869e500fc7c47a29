"""What a release sends to a cluster, without a cluster."""

import re
import shutil
import subprocess
from functools import cache
from typing import Any

import pytest
import yaml
from tests.deploy.composition import WORKSPACE
from tests.deploy.kustomize import build

KUBERNETES = WORKSPACE / "deploy" / "kubernetes"
NAME = "app.kubernetes.io/name"
HASH = re.compile(r"\bsettings-[a-z0-9]{10}\b")
"""What kustomize names the ConfigMap, so that a change of it starts the services anew."""

Item = dict[str, Any]


@cache
def built(overlay: str) -> list[Item]:
    """Every resource of the overlay, patched."""
    return build(KUBERNETES / "overlays" / overlay)


def built_by_kubectl(overlay: str) -> list[Item]:
    """The same by what a person would use; left out where there is no kubectl."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    command = ["kubectl", "kustomize", str(KUBERNETES / "overlays" / overlay)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(yaml.safe_load_all(HASH.sub("settings", text)))


def by_name(items: list[Item], kind: str) -> dict[str, Item]:
    return {item["metadata"]["name"]: item for item in items if item["kind"] == kind}


def container(workload: Item) -> Item:
    """The only one of its pods."""
    (only,) = workload["spec"]["template"]["spec"]["containers"]
    found: Item = only
    return found


def connections(items: list[Item]) -> set[tuple[str, str, int | str]]:
    """From, to, port, by the names of pods or `world`: what the policies of both sides allow, where both are ours."""
    policies = by_name(items, "NetworkPolicy")
    leaving = {(name, *end) for name, policy in policies.items() for end in ends(policy, "egress", "to")}
    entering = {(end[0], name, end[1]) for name, policy in policies.items() for end in ends(policy, "ingress", "from")}
    ours = set(policies)
    return {one for one in leaving if one[1] not in ours or one in entering} | {
        one for one in entering if one[0] not in ours
    }


def ends(policy: Item, direction: str, side: str) -> list[tuple[str, int | str]]:
    rules = policy["spec"].get(direction, [])
    return [
        (_who(peer), port["port"])
        for rule in rules
        for peer in rule[side]
        for port in rule.get("ports", ({"port": "*"},))
    ]


def _who(peer: Item) -> str:
    if "ipBlock" in peer:
        return "world"
    selector = peer.get("podSelector") or peer["namespaceSelector"]
    (name,) = selector["matchLabels"].values()
    return str(name)
