"""The templates of the first release that had the whole account (295c301), as their snapshots were: no asset's digest.

Every stage that was ever deployed began with these or with later ones. They are never taken anew.
"""

import gzip
import json
import shutil
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

Template = dict[str, Any]
FILE = Path(__file__).with_name("first-release.json.gz")


@cache
def first_release() -> dict[str, Template]:
    """Each template, by `<stage>-<stack>`."""
    found: dict[str, Template] = json.loads(gzip.decompress(FILE.read_bytes()))
    return found


def first_assembly(today: Path, stage: str, into: Path) -> None:
    """A cloud assembly that deploys the first templates, with the code of today: whatever is in an archive."""
    shutil.copytree(today, into)
    for file in into.glob(f"FormLens-{stage}-*.template.json"):
        name = file.name.partition(".")[0]
        then: Template = json.loads(json.dumps(first_release()[name.removeprefix("FormLens-")]))
        now = json.loads(file.read_text())
        for id, resource in then["Resources"].items():
            for member in {"Code", "Content", "PipelineDefinition"} & set(resource.get("Properties", {})):
                resource["Properties"][member] = now["Resources"][id]["Properties"][member]
        then["Parameters"] = now.get("Parameters", {})
        file.write_text(json.dumps(then))
        _rename(into, name, file)


def _rename(assembly: Path, name: str, template: Path) -> None:
    """cdk publishes a template once under its digest: under that of today's it would find today's later."""
    assets = assembly / f"{name}.assets.json"
    files = json.loads(assets.read_text())["files"]
    (digest,) = [id for id, one in files.items() if one["source"]["path"] == template.name]
    for file in (assets, assembly / "manifest.json"):
        file.write_text(file.read_text().replace(digest, sha256(template.read_bytes()).hexdigest()))
