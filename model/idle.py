"""Stops the notebook instance that it runs on when nobody has worked there for a while; run every few minutes.

    python3 model/idle.py --minutes 60

Jupyter's list of kernels and terminals and the load of the machine go in. Knows nothing but the standard library and
the `aws` command, because it runs on the instance's own Python.
"""

import argparse
import json
import os
import ssl
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

JUPYTER = "https://localhost:8443/api"
ABOUT = Path("/opt/ml/metadata/resource-metadata.json")
LOADED = 0.5
"""Load over a quarter of an hour from which something is at work, whatever Jupyter knows of it."""


def idle_minutes(sessions: list[dict[str, Any]], started: datetime, now: datetime, load: float) -> float:
    """Minutes without work: none while a kernel is busy or the machine is loaded.

    ``sessions`` are Jupyter's kernels and terminals, with `last_activity` and, for kernels, `execution_state`.
    """
    if load >= LOADED or any(session.get("execution_state") in ("busy", "starting") for session in sessions):
        return 0.0
    last = max([started, *(_time(session["last_activity"]) for session in sessions if session.get("last_activity"))])
    return (now - last).total_seconds() / 60


def _time(text: str) -> datetime:
    # Python before 3.11 does not read the Z
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _ask(what: str) -> Any:
    own = ssl.create_default_context()
    own.check_hostname, own.verify_mode = False, ssl.CERT_NONE  # the instance's own certificate, over loopback
    with urlopen(f"{JUPYTER}/{what}", timeout=20, context=own) as answer:  # noqa: S310
        return json.load(answer)


def main() -> None:
    """Look once, and stop the instance if its time has come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, required=True, help="stop after this time without work")
    limit = parser.parse_args().minutes
    up = float(Path("/proc/uptime").read_text().split()[0])
    now = datetime.now(UTC)
    started = datetime.fromtimestamp(time.time() - up, UTC)
    idle = idle_minutes([*_ask("kernels"), *_ask("terminals")], started, now, os.getloadavg()[2])
    print(f"idle for {idle:.0f} of {limit:.0f} minutes")
    if idle >= limit:
        name = json.loads(ABOUT.read_text())["ResourceName"]
        stop = ["aws", "sagemaker", "stop-notebook-instance", "--notebook-instance-name", name]
        subprocess.run(stop, check=True)  # noqa: S603


if __name__ == "__main__":
    main()
