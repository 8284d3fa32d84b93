"""Compare what two versions of the app deploy.

python -m changes synth . out/after              the templates of a checkout, no account needed
python -m changes compare out/before out/after   what changes between them, as Markdown
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from changes.assembly import AssemblyError, read_assembly
from changes.markdown import comment
from changes.review import review

STAGES = ("dev", "prod")


def main() -> int:
    """The command line. Exit status 0: compared, whatever was found; 2: it could not be."""
    parser = argparse.ArgumentParser(prog="python -m changes", description=__doc__.split("\n", 1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    synth = commands.add_parser("synth", help="write the templates of a checkout, a folder a stage")
    synth.add_argument("checkout", type=Path)
    synth.add_argument("out", type=Path)
    synth.add_argument("stages", nargs="*", default=STAGES)
    between = commands.add_parser("compare", help="say what changes from one folder of templates to the other")
    between.add_argument("before", type=Path)
    between.add_argument("after", type=Path)
    between.add_argument("--out", type=Path, help="a file for the Markdown; without one it is printed")
    given = parser.parse_args()
    try:
        if given.command == "synth":
            synthesize(given.checkout, given.out, tuple(given.stages))
        else:
            told = comment(*review(read_assembly(given.before), read_assembly(given.after)))
            given.out.write_text(told) if given.out else sys.stdout.write(told)
    except AssemblyError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # templates may be a stranger's: what CloudFormation would refuse is not compared
        sys.stderr.write(f"a template is not what CloudFormation takes: {type(error).__name__}: {error}\n")
        return 2
    return 0


def synthesize(checkout: Path, out: Path, stages: tuple[str, ...]) -> None:
    """Run a checkout's app for each stage, as `cdk synth` does, without wheels: only a deploy needs them."""
    context = json.loads((checkout / "cdk.json").read_text())["context"] | {"aws:cdk:bundling-stacks": []}
    for stage in stages:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_DEFAULT_"))
        }
        environment |= {
            "CDK_OUTDIR": str((out / stage).resolve()),
            "CDK_CONTEXT_JSON": json.dumps(context | {"stage": stage}),
            "PYTHONPATH": "",
        }
        done = subprocess.run([sys.executable, "app.py"], cwd=checkout, env=environment, check=False)
        if done.returncode:
            raise AssemblyError(f"{checkout}/app.py could not be synthesized for stage {stage}")


if __name__ == "__main__":
    sys.exit(main())
