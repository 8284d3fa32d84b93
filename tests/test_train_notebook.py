"""The training notebook runs from its first cell to its last, on a tiny budget."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs torch: model/requirements-train.txt")
pytest.importorskip("faker", reason="the words of the training stream come from Faker: model/requirements-train.txt")

from collections_drawn import draw_collections
from formlens.reader import Reader

ROOT = Path(__file__).parents[1]


def test_the_notebook_trains_a_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = draw_collections(tmp_path / "data")
    environment = {"DATA": data, "PRINTED": data / "printed", "WORK": tmp_path / "run", "STEPS": 2, "HELD_OUT": 2}
    for name, value in environment.items():
        monkeypatch.setenv(f"FORMLENS_{name}", str(value))
    book = json.loads((ROOT / "model" / "train.ipynb").read_text())
    scope: dict[str, object] = {}
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "outputs are not committed"
            exec("".join(cell["source"]), scope)  # noqa: S102
    assert Reader(tmp_path / "run" / "reader.onnx").version in capsys.readouterr().out
    assert (tmp_path / "run" / "stream.png").stat().st_size > 1000
