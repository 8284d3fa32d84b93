import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stacks.bundle import LAMBDA_LIMIT, LOCK, Bundle, FetchError, fetch_wheels, function_bundle, layer_bundle
from stacks.settings import DEV, LOCAL, STAGES

ROOT = Path(__file__).resolve().parent.parent
SHARED = ("lambda/environment.py", "lambda/objects.py", "lambda/store.py")
READ = ("lambda/read.py", "lambda/scan.py", "lambda/keys.py", "lambda/learned.py", "lambda/current.py", *SHARED)
LEARN = ("lambda/learn.py", "lambda/lesson.py", "lambda/keys.py", "lambda/current.py", *SHARED)
SHEET = ("lambda/sheet.py", "lambda/books.py", *SHARED)
RUNTIMES = sorted({settings.python for settings in STAGES.values()})
# boto3 and what it needs are part of Lambda's Python runtime
IN_THE_RUNTIME = ("boto3", "botocore", "s3transfer", "dateutil", "six", "urllib3", "jmespath")


def layer(python: str) -> Bundle:
    try:
        return layer_bundle(python)
    except FetchError:
        pytest.skip(f"the wheels for Python {python} are not in .cache and could not be downloaded")


@pytest.mark.parametrize("python", RUNTIMES)
def test_function_and_layer_fit_into_lambda(python: str) -> None:
    size = layer(python).size + function_bundle(*READ, packages=("formlens",)).size
    assert size < LAMBDA_LIMIT - 5_000_000


@pytest.mark.parametrize("python", RUNTIMES)
def test_the_layer_holds_what_the_lock_names_built_for_its_python(python: str) -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", LOCK.read_text(), re.MULTILINE))
    names = zipfile.ZipFile(layer(python).path).namelist()
    found = {
        m[1].replace("_", "-"): m[2] for n in names if (m := re.match(r"python/(\w+)-([\w.]+)\.dist-info/METADATA", n))
    }
    assert found == locked
    built_for = set(re.findall(r"\.cpython-(\d+)-x86_64-linux-gnu\.so", " ".join(names)))
    assert built_for == {python.replace(".", "")}


@pytest.mark.parametrize("python", RUNTIMES)
def test_every_wheel_runs_on_amazon_linux(python: str) -> None:
    layer(python)
    own = "cp" + python.replace(".", "")
    for wheel in fetch_wheels(python):
        tag, abi, platform = wheel.stem.split("-")[-3:]
        assert tag in (own, "py3", "py2.py3") or abi == "abi3"
        glibc = (
            min(int(minor) for minor in re.findall(r"manylinux_2_(\d+)_x86_64", platform)) if platform != "any" else 0
        )
        assert glibc <= 34  # Amazon Linux 2023


def test_a_function_reads_a_page_with_nothing_but_its_layer_and_the_runtime(tmp_path: Path) -> None:
    """As on Lambda: an interpreter without site-packages, the function, the layer, and boto3."""
    zipfile.ZipFile(layer(LOCAL.python).path).extractall(tmp_path)
    for name, files in (("read", READ), ("sheet", SHEET), ("learn", LEARN)):
        zipfile.ZipFile(function_bundle(*files, packages=("formlens",)).path).extractall(tmp_path / name)
    (tmp_path / "runtime").mkdir()
    for name in IN_THE_RUNTIME:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        origin = origin.parent if origin.name == "__init__.py" else origin
        (tmp_path / "runtime" / origin.name).symlink_to(origin)
    program = """
import sys
root = sys.argv[1]
sys.path[:0] = [f"{root}/read", f"{root}/python", f"{root}/runtime"]
import cv2, numpy as np, read
page = np.full((450, 350, 3), 255, np.uint8)
for at in range(50, 301, 50):
    cv2.line(page, (at, 50), (at, 300), (0, 0, 0), 2)
    cv2.line(page, (50, at), (300, at), (0, 0, 0), 2)
from formlens.pipeline import read_forms
from formlens.reader import Reader
cv2.putText(page, "7", (62, 88), cv2.FONT_HERSHEY_SIMPLEX, 1, (0, 0, 0), 2)
(result,) = read_forms(cv2.imencode(".png", page)[1].tobytes(), "page.png", Reader())
assert result.status == "read" and len(result.cells) == 25, result
sys.path[0] = f"{root}/sheet"
import sheet
sys.path[0] = f"{root}/learn"
import learn
"""
    environment = {"BUCKET": "deeplens-sagemaker-test", "AWS_DEFAULT_REGION": "eu-central-1"}
    environment |= {"POWERTOOLS_METRICS_NAMESPACE": "FormLens/test", "POWERTOOLS_SERVICE_NAME": "test"}
    run = [sys.executable, "-I", "-S", "-c", program, str(tmp_path)]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_bundle_holds_no_tests_caches_or_notes_of_the_installer() -> None:
    names = zipfile.ZipFile(layer(DEV.python).path).namelist()
    names += zipfile.ZipFile(function_bundle(*READ, packages=("formlens",)).path).namelist()
    assert not [n for n in names if re.search(r"__pycache__|\.pyc$|/tests/|/RECORD$|INSTALLER|direct_url", n)]
    assert "read.py" in names
    assert "formlens/reader.onnx" in names


def test_a_bundle_is_the_same_bytes_wherever_and_whenever_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    for place in ("one", "two"):
        folder = tmp_path / place
        copy_tree(folder)
        for age, path in enumerate(sorted(folder.rglob("*.py"))):
            os.utime(path, (age * 1e6, age * 1e6 + len(place)))
            path.chmod(0o600 if place == "one" else 0o755)
        monkeypatch.setattr("stacks.bundle.ROOT", folder)
        monkeypatch.setattr("stacks.bundle.CACHE", folder / ".cache")
        made.append(function_bundle(*READ, packages=("formlens",)))
    one, two = made
    assert one.path != two.path
    assert one.path.read_bytes() == two.path.read_bytes()
    assert one.digest == two.digest


def test_other_contents_have_another_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = function_bundle(*SHEET, packages=("formlens",))
    copy_tree(tmp_path)
    (tmp_path / "formlens" / "types.py").write_text("")
    monkeypatch.setattr("stacks.bundle.ROOT", tmp_path)
    monkeypatch.setattr("stacks.bundle.CACHE", tmp_path / ".cache")
    assert function_bundle(*SHEET, packages=("formlens",)).digest != before.digest


def test_two_synths_in_two_folders_agree_without_account_network_or_credentials(tmp_path: Path) -> None:
    given = json.loads((ROOT / "cdk.json").read_text())["context"]
    context = json.dumps(given | {"aws:cdk:bundling-stacks": [], "stage": "prod"})
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}  # jsii's cache is in HOME
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    synths = []
    for place in ("one", "two"):
        folder = tmp_path / place / "tree"
        copy_tree(folder)
        environment = kept | nowhere | {"CDK_OUTDIR": str(folder / "out"), "CDK_CONTEXT_JSON": context}
        # from another directory, so that a relative path would not be found
        run = [sys.executable, str(folder / "app.py")]
        synths.append((folder / "out", subprocess.Popen(run, cwd=tmp_path, env=environment)))
    assert [process.wait() for _, process in synths] == [0, 0]
    one, two = (
        {p.name: p.read_bytes() for p in out.iterdir() if p.name.endswith((".template.json", ".assets.json", ".zip"))}
        for out, _ in synths
    )
    assert len(one) >= 6
    assert one == two


def test_wheels_that_cannot_be_fetched_end_synth_with_what_to_do_about_it(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    copy_tree(folder)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    # cdk asks for colours, which pip would put around the words that are looked for
    context = {"CDK_OUTDIR": str(tmp_path / "out"), "CDK_CONTEXT_JSON": '{"stage": "prod"}', "FORCE_COLOR": "1"}
    environment = kept | nowhere | context | {"NO_PROXY": "127.0.0.1"}
    run = [sys.executable, str(folder / "app.py")]
    done = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    told = done.stderr.splitlines()[-1]  # jsii may warn of an old Node above it
    assert "Traceback" not in done.stderr
    assert told.startswith("The wheels that lambda/requirements.txt names for Python 3.14 could not be fetched.")
    assert "fetched once" in told
    assert "try again" in told
    assert "requirement aws-lambda-powertools" in told  # what pip was looking for
    assert not list((folder / ".cache" / "wheels").iterdir())


def copy_tree(folder: Path) -> None:
    """What the stacks are made from, without caches."""
    for part in ("stacks", "lambda", "formlens", "model"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("app.py", "cdk.json", "pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / part, folder / part)
