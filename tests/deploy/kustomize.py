"""Builds an overlay where there is no kubectl: as much of kustomize as deploy/kubernetes uses, and nothing else.

A key of a kustomization that is not here is refused. Where kubectl is, a test compares the two.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

Item = dict[str, Any]
DONE = {"apiVersion", "kind", "resources", "labels", "patches", "namespace", "configMapGenerator", "images"}


def build(folder: Path) -> list[Item]:
    """Every resource, patched. A ConfigMap keeps its name, to which kustomize would add a hash."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(kustomization) <= DONE, "not known here"
    items = [item for name in kustomization["resources"] for item in _resource(folder / name)]
    items += [_config_map(folder, made) for made in kustomization.get("configMapGenerator", ())]
    for patch in kustomization.get("patches", ()):
        _patch(items, patch, folder)
    for item in items:
        _name(item, kustomization)
    return items


def _resource(place: Path) -> list[Item]:
    return build(place.resolve()) if place.is_dir() else list(yaml.safe_load_all(place.read_text()))


def _config_map(folder: Path, made: Item) -> Item:
    lines = [line for name in made["envs"] for line in (folder / name).read_text().splitlines()]
    data = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    metadata = {"name": made["name"], "labels": made["options"]["labels"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def _patch(items: list[Item], patch: Item, folder: Path) -> None:
    """One that finds nothing to change is a mistake, which kustomize passes over."""
    target, given = patch["target"], patch.get("patch")
    found = [item for item in items if item["kind"] == target["kind"] and _is(item, target.get("name"))]
    assert found, f"a patch for nothing: {target}"
    operations = yaml.safe_load(given or (folder / patch["path"]).read_text())
    for item in found:
        if isinstance(operations, list):
            for operation in operations:
                _replace(item, **operation)
        else:
            item["spec"] = _merged(item["spec"], operations["spec"])


def _is(item: Item, name: str | None) -> bool:
    return name is None or item["metadata"]["name"] == name


def _replace(item: Any, op: str, path: str, value: Any) -> None:
    assert op == "replace"
    parts: list[Any] = [int(part) if part.isdigit() else part for part in path.strip("/").split("/")]
    *way, last = parts
    for part in way:
        item = item[part]
    assert last in item if isinstance(item, dict) else last < len(item), path
    item[last] = value


def _merged(into: Any, patch: Any) -> Any:
    """Strategic merge: mappings by key, lists by their entries' names; other lists are taken as they are."""
    if isinstance(into, dict) and isinstance(patch, dict):
        return into | {key: _merged(into[key], value) if key in into else value for key, value in patch.items()}
    if isinstance(into, list) and all("name" in entry for entry in (*into, *patch)):
        named = {entry["name"]: entry for entry in into}
        return [*_merged(named, {entry["name"]: entry for entry in patch}).values()]
    return patch


def _name(item: Item, kustomization: Item) -> None:
    """Labels, namespace and images, in it and in the pods it makes."""
    template = item.get("spec", {}).get("template") if item["kind"] in ("Deployment", "Job") else None
    for entry in kustomization.get("labels", ()):
        assert entry["includeTemplates"]
        for place in (item, *([template] if template else [])):
            place["metadata"]["labels"] = place["metadata"].get("labels", {}) | entry["pairs"]
    if namespace := kustomization.get("namespace"):
        item["metadata"]["namespace"] = namespace
    for container in template["spec"]["containers"] if template else ():
        container["image"] = _image(container["image"], kustomization.get("images", ()))


def _image(image: str, replaced: Iterable[Item]) -> str:
    for one in replaced:
        if re.fullmatch(rf"{re.escape(one['name'])}(:.*)?", image):
            return f"{one['newName']}:{one['newTag']}"
    return image
