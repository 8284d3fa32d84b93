"""Handler files, `formlens/` and locked wheels go in; zip files that hold the same bytes on every machine come out.

Nothing is run and no container is needed: a wheel is a zip that only has to be unpacked. Wheels are fetched once, by
hash, into `.cache/`; after that synth needs no network. Every path is anchored at the root of the repository.
"""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
LOCK = ROOT / "lambda" / "requirements.txt"
DEVICE_LOCK = ROOT / "lambda" / "camera.txt"
"""What a camera's function imports; Greengrass knows no layers and brings no boto3."""

DEVICE_SERVICES = ("iot-data", "s3", "sts")

LAMBDA_LIMIT = 262_144_000
"""Bytes that a function and its layers may have together, unzipped (AWS Lambda quotas)."""

# Lambda's Python 3.12 and newer run on Amazon Linux 2023, glibc 2.34. pip takes each tag literally.
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")

# What a running function never opens. Licences and METADATA stay.
UNUSED = (
    "*/tests/*",
    "*.pyi",
    "*.pyx",
    "*.pxd",
    "*.a",
    "*.h",
    "*/__pycache__/*",
    "*.dist-info/RECORD",
    "*.dist-info/WHEEL",
    "*.dist-info/*.txt",
    "*.data/*",
    "cv2/data/*.xml",
    "numpy/f2py/*",
    "onnxruntime/backend/*",
    "onnxruntime/datasets/*",
    "onnxruntime/quantization/*",
    "onnxruntime/tools/*",
    "onnxruntime/transformers/*",
    "pypdfium2_cli/*",
)


class FetchError(SystemExit):
    """The wheels could not be fetched. Not caught, it ends the app with its text alone: no traceback helps here."""


@dataclass(frozen=True)
class Bundle:
    """A zip file ready for Lambda."""

    path: Path
    digest: str
    """Of what the zip file is made from: the same digest, the same contents."""
    size: int
    """Bytes, unzipped."""


def function_bundle(*files: str, packages: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> Bundle:
    """Handler files (at the top of the zip file, whatever folder they come from) beside whole packages.

    ``without`` are path patterns to leave out, beside what no function opens.
    """
    paths = {Path(file).name: ROOT / file for file in files}
    for package in packages:
        paths |= {str(path.relative_to(ROOT)): path for path in (ROOT / package).rglob("*") if path.is_file()}
    contents = {name: path.read_bytes() for name, path in sorted(paths.items()) if not _matches(name, UNUSED + without)}
    digest = sha256(
        b"".join(sha256(part).digest() for item in contents.items() for part in (item[0].encode(), item[1]))
    )
    return _zipped("function", digest.hexdigest(), lambda: iter(contents.items()))


def layer_bundle(python: str, lock: Path = LOCK) -> Bundle:
    """The locked wheels for one Python version, unpacked under `python/`, without what no function opens."""
    return _zipped("layer", _locked(python, lock, UNUSED), lambda: unpack(fetch_wheels(python, lock)))


def device_bundle(python: str, *files: str, without: tuple[str, ...] = ()) -> Bundle:
    """Handler files, `formlens/` and the locked wheels of a camera in one zip file, as Greengrass takes it.

    Of boto3's descriptions of services, which are most of it, only those go along that a camera calls.
    """
    function = function_bundle(*files, packages=("formlens",), without=without)
    digest = sha256((function.digest + _locked(python, DEVICE_LOCK, UNUSED)).encode()).hexdigest()

    def contents() -> Iterator[tuple[str, bytes]]:
        with zipfile.ZipFile(function.path) as archive:
            yield from ((name, archive.read(name)) for name in archive.namelist())
        for path, data in unpack(fetch_wheels(python, DEVICE_LOCK)):
            name = path.removeprefix("python/")
            service = name.removeprefix("botocore/data/").split("/")
            if not name.startswith("botocore/data/") or len(service) == 1 or service[0] in DEVICE_SERVICES:
                yield name, data

    return _zipped("device", digest, contents)


def fetch_wheels(python: str, lock: Path = LOCK) -> list[Path]:
    """Download the wheels of a lock into the cache, checked by hash; from the second time on, just find them.

    Raises FetchError, which names the lock and what to do.
    """
    folder = CACHE / "wheels" / _locked(python, lock)[:16]
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as fresh:
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-color", "--disable-pip-version-check"]
            exact = ["--no-deps", "--require-hashes", "--only-binary=:all:"]
            interpreter = ["--implementation", "cp", "--python-version", python]
            platforms = [word for tag in PLATFORMS for word in ("--platform", tag)]
            command = [*pip, *exact, *interpreter, *platforms, "-r", str(lock), "-d", fresh]
            done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
            if done.returncode:
                raise FetchError(_not_fetched(python, lock, done.stderr.splitlines()))
            _into_place(Path(fresh), folder)
    return sorted(folder.glob("*.whl"))


def unpack(wheels: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Every file of the wheels that a function may open, as (path under the layer's root, contents), sorted."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if not name.endswith("/") and not _matches(name, UNUSED):
                    yield f"python/{name}", archive.read(name)


def _not_fetched(python: str, lock: Path, said: list[str]) -> str:
    # Of what pip says the first error is the cause; without one, the last line.
    cause = next((line for line in said if line.startswith("ERROR: ")), (said or ["nothing"])[-1])
    return (
        f"The wheels that {lock.relative_to(ROOT)} names for Python {python} could not be fetched. They are fetched "
        f"once, into {CACHE.relative_to(ROOT)}/wheels, and only that needs the network (pypi.org, or the index that "
        f"pip is set to): try again with it. pip said: {cause.removeprefix('ERROR: ')}"
    )


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _locked(python: str, lock: Path, unused: tuple[str, ...] = ()) -> str:
    return sha256("\n".join([python, *PLATFORMS, *unused, lock.read_text()]).encode()).hexdigest()


def _zipped(kind: str, digest: str, contents: Callable[[], Iterator[tuple[str, bytes]]]) -> Bundle:
    path = CACHE / "bundles" / f"{kind}-{digest[:32]}.zip"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = tempfile.NamedTemporaryFile(dir=path.parent, delete=False)  # noqa: SIM115
        with fresh, zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in contents():
                entry = zipfile.ZipInfo(name)  # dated 1980, whenever it is made
                entry.create_system, entry.external_attr = 3, 0o644 << 16
                archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
        _into_place(Path(fresh.name), path)
    with zipfile.ZipFile(path) as archive:
        return Bundle(path, digest, sum(entry.file_size for entry in archive.infolist()))


def _into_place(fresh: Path, path: Path) -> None:
    """Rename what is complete, so that two builds at once and one that dies halfway leave nothing half made."""
    fresh.chmod(0o755 if fresh.is_dir() else 0o644)
    try:
        fresh.rename(path)
    except OSError:  # another build put the same folder there first
        if not path.exists():
            raise
