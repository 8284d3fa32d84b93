"""A trained network in, the reader's ONNX file out: the base's graph with other numbers, its alphabet and its card.

    python -m model.export --weights RUN/best.pt --out READER.onnx [--blend 0.8]

`--blend` mixes the trained numbers with the base's (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models"):
what fine-tuning forgot comes back before what it learned is lost.
"""

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch

from formlens.reader import SHIPPED
from model.half import halve
from model.network import LOOKALIKES, Network, network, store

DATA = {
    "mnist": "MNIST digits but the last 5,000 (CC BY-SA 3.0)",
    "omniglot": "Omniglot Latin letters of 16 people (MIT)",
    "odk": "boxed digits of photographed forms, ODK (Apache-2.0)",
    "lyon": "Lyon birth tables 1903-1912, 10 pages (public domain; transcription CC BY 4.0, Lucie-Louis)",
    "stanford": "Stanford memorials 1905 (CC BY 4.0, PSL Chartes HTR students)",
    "poilus": "Testaments de Poilus (CC BY 4.0, HTR-United / CREMMA)",
    "fonts": "78 handwriting font families (OFL-1.1 or Apache-2.0), DejaVu and Liberation",
}
"""What the shipped reader was trained on, of each collection the part that is not held out."""


def alphabet_of(model: onnx.ModelProto) -> str:
    """The characters that a reader's file knows; ValueError for a file that says none."""
    for entry in model.metadata_props:
        if entry.key == "alphabet":
            return str(entry.value)
    raise ValueError("this ONNX file is no reader: it names no alphabet")


def card_of(model: onnx.ModelProto) -> dict[str, Any]:
    """What a reader's file says of how it was made; empty for one that says nothing."""
    held: dict[str, Any] = json.loads(
        next((entry.value for entry in model.metadata_props if entry.key == "card"), "{}")
    )
    return held


def export(
    module: Network,
    base: onnx.ModelProto,
    notes: dict[str, str],
    without: Sequence[str] = (),
    card: dict[str, Any] | None = None,
) -> bytes:
    """The bytes of the file, with `notes` and the data used, all but `without`, on its card; or added to another card.

    Kernels and matrices are stored in 16 bits and computed with in 32. The version is a digest of all the rest, so
    equal readers have equal versions.
    """
    model = halve(store(module, base), frozenset({LOOKALIKES}))
    held = {entry.key: entry.value for entry in base.metadata_props if entry.key in ("alphabet", "origin")}
    del model.metadata_props[:]
    used = [source for name, source in DATA.items() if name not in without]
    start = {"licence": "Apache-2.0", "data": used} if card is None else card
    onnx.helper.set_model_props(model, {**held, "card": json.dumps({**start, **notes}, ensure_ascii=False)})
    digest = hashlib.sha256(model.SerializeToString(deterministic=True)).hexdigest()
    entry = model.metadata_props.add()
    entry.key, entry.value = "version", f"formlens-{digest[:12]}"
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def blend(trained: Network, base: Network, share: float) -> Network:
    """The trained network with `1 - share` of the base's numbers mixed in."""
    theirs = base.state_dict()
    mixed = {name: share * value + (1 - share) * theirs[name] for name, value in trained.state_dict().items()}
    trained.load_state_dict(mixed)
    return trained


def main() -> None:
    """Write the reader of a training run."""
    parser = argparse.ArgumentParser(description="Write a trained reader as one ONNX file.")
    parser.add_argument("--weights", type=Path, required=True, help="best.pt of a training run")
    parser.add_argument("--base", type=Path, default=SHIPPED, help="the reader that the run started from")
    parser.add_argument("--blend", type=float, default=1.0, help="share of the trained numbers, 0 to 1")
    parser.add_argument("--without", nargs="*", default=[], choices=list(DATA), help="data that the run left out")
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    given = parser.parse_args()
    base = onnx.load(given.base)
    trained = network(base)
    trained.load_state_dict(torch.load(given.weights, map_location="cpu", weights_only=True))
    data = export(blend(trained, network(base), given.blend), base, {"blend": str(given.blend)}, given.without)
    given.out.write_bytes(data)
    print(f"{given.out}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
