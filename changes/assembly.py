"""A folder of cloud assemblies goes in, its stacks come out.

The folder may come from a stranger's pull request: nothing outside of it is read, and nothing in it is run.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = Any
"""A value of a template: what JSON can hold."""
_MOST_BYTES = 20_000_000


class AssemblyError(Exception):
    """The folder holds no cloud assembly that can be read; the text names the file."""


@dataclass(frozen=True)
class Stack:
    """One synthesized stack."""

    name: str
    environment: str
    protected: bool
    """Whether CloudFormation refuses to delete it."""
    template: dict[str, Json]

    @property
    def resources(self) -> dict[str, dict[str, Json]]:
        """Its resources, by logical id."""
        found = self.template.get("Resources", {})
        return {id: resource for id, resource in found.items() if isinstance(resource, dict) and "Type" in resource}


def read_assembly(folder: Path) -> dict[str, Stack]:
    """Every stack under a folder, by name; nested stacks by the name of their template.

    Raises AssemblyError where there is none, or where a file cannot be read.
    """
    manifests = sorted(folder.rglob("manifest.json"))
    if not manifests:
        raise AssemblyError(f"{folder} holds no manifest.json: is it what `cdk synth` wrote?")
    stacks: dict[str, Stack] = {}
    for manifest in manifests:
        for id, artifact in _load(manifest, folder).get("artifacts", {}).items():
            if artifact.get("type") == "aws:cloudformation:stack":
                properties = artifact.get("properties", {})
                name = str(properties.get("stackName") or id)
                template = _load(manifest.parent / str(properties.get("templateFile")), folder)
                protected = bool(properties.get("terminationProtection"))
                stacks[name] = Stack(name, str(artifact.get("environment", "")), protected, template)
        for nested in sorted(manifest.parent.glob("*.nested.template.json")):
            name = nested.name.removesuffix(".nested.template.json")
            stacks[name] = Stack(name, "", False, _load(nested, folder))
    return stacks


def _load(path: Path, folder: Path) -> dict[str, Json]:
    try:
        if path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
            raise AssemblyError(f"{path} leads out of {folder}")
        if path.stat().st_size > _MOST_BYTES:
            raise AssemblyError(f"{path} is larger than a template can be")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AssemblyError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise AssemblyError(f"{path} is no JSON object")
    return found
