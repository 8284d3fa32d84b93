"""SageMaker where people work: domains, profiles, spaces and apps of Studio, and notebook instances.

What refuses to be deleted on AWS refuses here: a domain with people in it, a space with an app, a notebook that runs.
"""

import json
from collections.abc import Callable
from uuid import uuid4

from ministack.services import efs

from local.kinds import VALIDATION, Kind, Record, Refused, later

# Named here, so that the cloud does not start without it.
make_file_system = efs._create_file_system


def _domain(asked: Record) -> Record:
    made: Record = {"DomainId": f"d-{uuid4().hex[:12]}"}
    made["Url"] = f"https://{made['DomainId']}.studio.example"
    if asked.get("HomeEfsFileSystemCreation") != "Disabled":
        # It is nobody's but the domain's, and outlives it all the same.
        _, _, body = make_file_system({"CreationToken": made["DomainId"]})
        made["HomeEfsFileSystemId"] = json.loads(body)["FileSystemId"]
    return made


def _in_domain(asked: Record) -> Record:
    """Profile, space or app: its domain must be there, and whom it belongs to. Two domains may have one of a name."""
    DOMAINS.find({"DomainId": asked["DomainId"]})
    for kind, key in ((PROFILES, "UserProfileName"), (SPACES, "SpaceName")):
        if "AppName" in asked and key in asked:
            kind.find({"DomainId": asked["DomainId"], key: asked[key]})
    return {"Inside": f"{asked.get('UserProfileName')}|{asked['DomainId']}"}


def _app(asked: Record) -> Record:
    _in_domain(asked)
    starting: Record = {}
    later(starting, {"Status": "InService"}, Status="Pending")
    return starting


def _empty_domain(domain: Record) -> None:
    id = domain["DomainId"]
    for kind in (PROFILES, SPACES):
        if kind.all(DomainId=id):
            raise Refused("ResourceInUse", f"Unable to delete Domain {id}: {kind.noun}(s) are associated with it")
    for app in APPS.all(DomainId=id):
        del APPS.records[APPS.name(app)]


def _without_apps(owner: Record) -> None:
    """A profile or a space goes when nothing runs in it, and a profile when no space is its own."""
    key = "SpaceName" if "SpaceArn" in owner else "UserProfileName"
    inside = {"DomainId": owner["DomainId"], key: owner[key]}
    running = [app["AppName"] for app in APPS.all(**inside) if app["Status"] != "Deleted"]
    owned = [
        space["SpaceName"]
        for space in SPACES.all(DomainId=owner["DomainId"])
        if key == "UserProfileName" and space.get("OwnershipSettings", {}).get("OwnerUserProfileName") == owner[key]
    ]
    if running or owned:
        raise Refused("ResourceInUse", f"{owner[key]} is in use by {', '.join(running + owned)}")


def _runs(app: Record) -> None:
    if app["Status"] not in ("InService", "Failed"):
        raise Refused("ResourceInUse", f"app {app['AppName']} is {app['Status']}")


DOMAINS = Kind(
    "Domain",
    ("DomainId",),
    "domain/{DomainId}",
    type="AWS::SageMaker::Domain",
    replaced_by=("AuthMode", "DomainName", "KmsKeyId"),
    makes=_domain,
    before_end=_empty_domain,
)
PROFILES = Kind(
    "UserProfile",
    ("DomainId", "UserProfileName"),
    "user-profile/{DomainId}/{UserProfileName}",
    type="AWS::SageMaker::UserProfile",
    ref="Inside",
    replaced_by=("DomainId", "UserProfileName", "SingleSignOnUserIdentifier", "SingleSignOnUserValue"),
    makes=_in_domain,
    before_end=_without_apps,
)
SPACES = Kind(
    "Space", ("DomainId", "SpaceName"), "space/{DomainId}/{SpaceName}", makes=_in_domain, before_end=_without_apps
)
APPS = Kind(
    "App",
    ("DomainId", "UserProfileName", "SpaceName", "AppType", "AppName"),
    "app/{DomainId}/{SpaceName}/{AppType}/{AppName}",
    makes=_app,
    before_end=_runs,
    ends={"Status": "Deleted"},  # AWS lists it for a day more
)


def _stopped(notebook: Record) -> None:
    status = notebook["NotebookInstanceStatus"]
    if status not in ("Stopped", "Failed"):
        raise Refused(VALIDATION, f"Status ({status}) not in ([Stopped, Failed]). Unable to transition to (Deleting)")


def _start_notebook(asked: Record) -> None:
    later(NOTEBOOKS.find(asked), {"NotebookInstanceStatus": "InService"}, NotebookInstanceStatus="Pending")


def _stop_notebook(asked: Record) -> None:
    notebook = NOTEBOOKS.find(asked)
    if notebook["NotebookInstanceStatus"] != "InService":
        raise Refused(VALIDATION, "Status not in ([InService]). Unable to transition to (Stopping)")
    later(notebook, {"NotebookInstanceStatus": "Stopped"}, NotebookInstanceStatus="Stopping")


NOTEBOOKS = Kind(
    "NotebookInstance",
    ("NotebookInstanceName",),
    "notebook-instance/{NotebookInstanceName}",
    type="AWS::SageMaker::NotebookInstance",
    ref="NotebookInstanceArn",
    state="NotebookInstanceStatus",
    replaced_by=("DirectInternetAccess", "KmsKeyId", "NotebookInstanceName", "PlatformIdentifier", "SubnetId"),
    makes=lambda asked: {
        "Url": f"{asked['NotebookInstanceName']}.notebook.example",
        "NotebookInstanceLifecycleConfigName": asked.get("LifecycleConfigName", ""),
    },
    before_end=_stopped,
    missing=(VALIDATION, "RecordNotFound"),
)


def _unused(config: Record) -> None:
    name = config["NotebookInstanceLifecycleConfigName"]
    if NOTEBOOKS.all(NotebookInstanceLifecycleConfigName=name):
        raise Refused(VALIDATION, f"{name} is in use by a notebook instance")


LIFECYCLES = Kind(
    "NotebookInstanceLifecycleConfig",
    ("NotebookInstanceLifecycleConfigName",),
    "notebook-instance-lifecycle-config/{NotebookInstanceLifecycleConfigName}",
    type="AWS::SageMaker::NotebookInstanceLifecycleConfig",
    ref="NotebookInstanceLifecycleConfigArn",
    replaced_by=("NotebookInstanceLifecycleConfigName",),
    before_end=_unused,
    missing=(VALIDATION, "RecordNotFound"),
)

KINDS = (DOMAINS, PROFILES, SPACES, APPS, NOTEBOOKS, LIFECYCLES)
DOES: dict[str, Callable[[Record], Record | None]] = {
    "StartNotebookInstance": _start_notebook,
    "StopNotebookInstance": _stop_notebook,
}
