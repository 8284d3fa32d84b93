"""The templates of the first release that had the whole account (295c301), as their snapshots were: no asset's digest.

Every stage that was ever deployed began with these or with later ones. They are never taken anew.
"""

import gzip
import json
import shutil
from functools import cache
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
        then = json.loads(json.dumps(first_release()[file.name.removeprefix("FormLens-").partition(".")[0]]))
        now = json.loads(file.read_text())
        for id, resource in then["Resources"].items():
            new = now["Resources"].get(id)
            for member in ("Code", "Content", "PipelineDefinition"):
                if new and member in resource.get("Properties", {}):
                    resource["Properties"][member] = new["Properties"][member]
        if "Parameters" in now:
            then["Parameters"] = now["Parameters"]
        file.write_text(json.dumps(then))
