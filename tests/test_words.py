"""Lines are cut between their words, where the reader finds what they say."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from formlens.reader import Reader
from formlens.types import Image
from model.lines import Line, phrase
from model.words import align, parted, spaces


def line_of(text: str) -> Image:
    image = np.full((60, 30 * len(text) + 20, 3), 240, np.uint8)
    cv2.putText(image, text, (10, 42), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (40, 30, 30), 2, cv2.LINE_AA)
    return image


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


def test_a_line_is_cut_where_no_ink_is(reader: Reader) -> None:
    image = line_of("1905 27 380")
    cuts = spaces(image, "1905 27 380", reader)
    assert cuts is not None
    assert len(cuts) == 2
    assert all(image[:, x].min() > 200 for x in cuts)
    parts = (image[:, a:b] for a, b in itertools.pairwise((0, *cuts, image.shape[1])))
    assert [reader.read([part])[0].text for part in parts] == ["1905", "27", "380"]


def test_a_line_that_says_something_else_is_not_cut(reader: Reader) -> None:
    assert spaces(line_of("1905 27 380"), "quite another story", reader) is None


def test_the_likeliest_path_is_the_best_of_all_paths() -> None:
    rng = np.random.default_rng(3)
    for spelling in ([1], [1, 1], [2, 1], [1, 2, 2]):
        seen = rng.dirichlet(np.ones(3), 5).astype(np.float32)
        states = [0, *itertools.chain(*((c, 0) for c in spelling))]
        best = max(
            float(np.log(seen[range(5), classes]).sum())
            for classes in itertools.product(range(3), repeat=5)
            if [c for c, _ in itertools.groupby(classes) if c] == spelling
        )
        path, score = align(seen, spelling)
        assert score == pytest.approx(best, abs=1e-5)
        assert float(np.log(seen[range(5), [states[s] for s in path]]).sum()) == pytest.approx(best, abs=1e-5)


def test_words_of_one_page_are_put_together_anew(reader: Reader, tmp_path: Path) -> None:
    lines = []
    for i, text in enumerate(("17 204", "95 38 61")):
        cv2.imwrite(str(tmp_path / f"{i}.png"), line_of(text))
        lines.append(Line(tmp_path / f"{i}.png", text, "page"))
    page = parted(lines, reader)
    known = {word for line in page for word in line.text.split()}
    drawn = [phrase(np.random.default_rng(seed), page[seed % 2], page) for seed in range(30)]
    assert all(set(text.split()) <= known for _, text in drawn)
    assert {text for _, text in drawn} - {"17 204", "95 38 61", "95 38", "38 61"}
    image, text = drawn[next(i for i, (_, text) in enumerate(drawn) if len(text.split()) == 3 and text != "95 38 61")]
    assert reader.read([image])[0].text.split() == text.split()
