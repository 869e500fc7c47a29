"""Whether a cluster would take a resource: by Kubernetes' own schemas, and by ours for what operators add.

Those of KEDA and the Prometheus operator come in no package. Ours have the fields that we use, as the operators' own
definitions describe them: they catch a slip of the pen; a further field is looked up there and added here.
"""

from typing import Any

import jsonschema
import kubernetes_validate

OLDEST, NEWEST = "1.30", "1.37"
"""The oldest that deploy/kubernetes/README.md allows, and the newest whose schemas the package has."""

Schema = dict[str, Any]
TEXT, NUMBER, LABELS = {"type": "string"}, {"type": "integer"}, {"additionalProperties": {"type": "string"}}


def check(item: dict[str, Any]) -> None:
    """Raises jsonschema's ValidationError."""
    if schema := OF_OTHERS.get(item["kind"]):
        jsonschema.validate(item, schema)
        return
    for version in (OLDEST, NEWEST):
        kubernetes_validate.validate(item, version, strict=True)


def _closed(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """These fields and no others."""
    properties = required | (optional or {})
    return {"type": "object", "properties": properties, "required": [*required], "additionalProperties": False}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of, "minItems": 1}


def _resource(version: str, kind: str, spec: Schema) -> Schema:
    metadata = _closed({"name": TEXT, "namespace": TEXT, "labels": LABELS})
    return _closed({"apiVersion": {"const": version}, "kind": {"const": kind}, "metadata": metadata, "spec": spec})


RULES = _closed(
    {},
    {
        "stabilizationWindowSeconds": {"type": "integer", "minimum": 0, "maximum": 3600},
        "selectPolicy": {"enum": ["Max", "Min", "Disabled"]},
        "policies": _list(_closed({"type": {"enum": ["Pods", "Percent"]}, "value": NUMBER, "periodSeconds": NUMBER})),
    },
)
BEHAVIOR = _closed({}, {"scaleDown": RULES, "scaleUp": RULES})
CPU = _closed(
    {
        "type": {"const": "cpu"},
        "metricType": {"enum": ["Utilization", "AverageValue"]},
        "metadata": _closed({"value": TEXT}),
    }
)
QUERY = _closed(
    {
        "type": {"const": "prometheus"},
        "metadata": _closed({"serverAddress": TEXT, "query": TEXT, "threshold": TEXT}),
    }
)
SCALED_OBJECT = _closed(
    {"scaleTargetRef": _closed({"name": TEXT}), "triggers": _list({"oneOf": [CPU, QUERY]})},
    {
        "minReplicaCount": NUMBER,
        "maxReplicaCount": NUMBER,
        "advanced": _closed(
            {
                "horizontalPodAutoscalerConfig": _closed(
                    {"behavior": _closed({}, {"scaleDown": RULES, "scaleUp": RULES})}
                )
            }
        ),
    },
)
SELECTOR = _closed(
    {},
    {
        "matchLabels": LABELS,
        "matchExpressions": _list(
            _closed(
                {"key": TEXT, "operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]}}, {"values": _list(TEXT)}
            )
        ),
    },
)
POD_MONITOR = _closed(
    {
        "selector": SELECTOR,
        "podMetricsEndpoints": _list(
            _closed({"port": TEXT}, {"path": TEXT, "interval": {"type": "string", "pattern": r"^\d+[smh]$"}})
        ),
    },
    {"jobLabel": TEXT},
)
OF_OTHERS = {
    "ScaledObject": _resource("keda.sh/v1alpha1", "ScaledObject", SCALED_OBJECT),
    "PodMonitor": _resource("monitoring.coreos.com/v1", "PodMonitor", POD_MONITOR),
}
