"""Templates of every stage, synthesized once and without the layer; for the stack tests."""

import atexit
import json
import shutil
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from stacks import build
from stacks.settings import DEV, STAGES, Camera, Notebook, Settings, Training

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("Storage", "Reading", "Watch")
"""What every stage has."""
REQUEST = "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n"
CAMERAS = (
    Camera(name="hall", csr=REQUEST, form="intake", greengrass=True),
    Camera(name="desk", csr=REQUEST),
    Camera(name="till", account_key=1, form="intake"),
)
COMBINED = (
    replace(DEV, stage="studio", training=None),
    replace(DEV, stage="notebook", studio=None, training=None, quota=None, notebook=Notebook()),
    replace(DEV, stage="both", training=None, notebook=Notebook()),
    replace(DEV, stage="jobs", studio=None, quota=None, notebook=Notebook()),
    replace(
        DEV,
        stage="full",
        notebook=Notebook(),
        training=Training(instance_count=2, spot=True, form="intake", schedule="rate(7 days)", new_labels=20),
    ),
    replace(DEV, stage="cameras", studio=None, training=None, quota=None, cameras=CAMERAS),
)
"""Together with the stages, every combination of the parts that a stage may have or not."""


def names_of(settings: Settings) -> tuple[str, ...]:
    """The stacks that a stage has."""
    studio = ("Studio",) if settings.studio or settings.notebook else ()
    training = ("Training",) if settings.training else ()
    quota = ("Quota",) if settings.quota else ()
    cameras = ("Camera",) if settings.cameras else ()
    return (*NAMES, *training, *studio, *quota, *cameras)


EVERY = [(settings.stage, name) for settings in (*STAGES.values(), *COMBINED) for name in names_of(settings)]

Template = dict[str, Any]


@cache
def assembly() -> Path:
    """The cloud assembly of all stages and combinations, with cdk-nag's report in it."""
    folder = mkdtemp(prefix="formlens-synth-")
    atexit.register(shutil.rmtree, folder)
    context = json.loads((ROOT / "cdk.json").read_text())["context"] | {"aws:cdk:bundling-stacks": []}
    app = cdk.App(outdir=folder, context=context)
    for settings in (*STAGES.values(), *COMBINED):
        build(app, settings)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    with suppress(RuntimeError):  # cdk-nag's findings, which tests/test_stacks_rules.py compares with the exceptions
        app.synth()
    return Path(folder)


@cache
def template(stage: str, name: str) -> Template:
    """One template."""
    found: Template = json.loads((assembly() / f"FormLens-{stage}-{name}.template.json").read_text())
    return found


def resources(stage: str, name: str, kind: str) -> dict[str, Any]:
    """The resources of one type in a template, by logical id."""
    every = template(stage, name)["Resources"]
    return {id: resource for id, resource in every.items() if resource["Type"] == kind}


def only(stage: str, name: str, kind: str) -> dict[str, Any]:
    """The one resource of its type."""
    (found,) = resources(stage, name, kind).values()
    assert isinstance(found, dict)
    return found


def statements(stage: str, name: str) -> list[tuple[str, dict[str, Any]]]:
    """Every statement of every policy in a template, with the logical id of the resource that carries it."""
    found = []
    for id, resource in template(stage, name)["Resources"].items():
        properties = resource.get("Properties", {})
        documents = [properties.get("PolicyDocument"), properties.get("AssumeRolePolicyDocument")]
        documents += [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        found += [(id, statement) for document in documents if document for statement in document["Statement"]]
    return found
