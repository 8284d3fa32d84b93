"""The training stream: what it draws, that it draws it again, and what it never draws."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("faker", reason="the words of the training stream come from Faker: model/requirements-train.txt")

from collections_drawn import ALPHABET, draw_collections, draw_font, draw_fonts, draw_lines, draw_mnist
from model import fields, fonts, lines, numerals, strokes
from model.data import KINDS, Sources, sample, sources
from model.glyphs import CAP, Glyph, join, stroke_width, trim
from model.paper import PENS, Sheet, picture
from model.pen import SIGNS, sign


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_collections(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def drawn(folder: Path) -> Sources:
    return sources(folder, ALPHABET, printed=folder / "printed")


def test_a_sample_depends_on_its_seed_and_number_alone(drawn: Sources) -> None:
    late = sample(drawn, 3, 41)
    for index in range(5):
        sample(drawn, 3, index)
    again, other = sample(drawn, 3, 41), sample(drawn, 4, 41)
    assert again.text == late.text
    assert np.array_equal(again.image, late.image)
    assert other.image.shape != late.image.shape or not np.array_equal(other.image, late.image)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_gives_a_colour_crop_and_a_text_that_can_be_spelled(drawn: Sources, kind: str) -> None:
    for index in range(12):
        one = sample(drawn, 1, index, kind)
        assert one.image.dtype == np.uint8
        assert one.image.ndim == 3
        assert one.image.shape[2] == 3
        assert one.text
        assert set(one.text) <= set(ALPHABET)


def test_different_numbers_give_different_texts(drawn: Sources) -> None:
    assert len({sample(drawn, 1, index, "fonts").text for index in range(40)}) > 30


def test_pages_are_split_and_never_lines(tmp_path: Path) -> None:
    pages = [f"page{n}" for n in range(20)]
    draw_lines(tmp_path / "some", pages)
    seen, unseen = (lines.lines(tmp_path / "some", held_out, ALPHABET) for held_out in (False, True))
    pages_of = [{line.path.name.split("_l")[0] for line in part} for part in (seen, unseen)]
    assert pages_of[0] | pages_of[1] == set(pages)
    assert not pages_of[0] & pages_of[1]
    assert len(pages_of[1]) == 4


def test_the_pages_of_one_writer_stay_together() -> None:
    assert lines.writing("will_AD78_0003-0") == lines.writing("will_AD78_0003-1") != lines.writing("will_AD78_0004-0")


def test_a_line_that_the_alphabet_cannot_spell_is_left_out(tmp_path: Path) -> None:
    draw_lines(tmp_path / "some", [f"page{n}" for n in range(5)], ("Jean", "⟦Jean⟧"))
    kept = lines.lines(tmp_path / "some", False, ALPHABET)
    assert {line.text for line in kept} == {"Jean"}


def test_transcriptions_come_in_one_spelling() -> None:
    assert lines.standard("l’e\u0301te\u0301  –\u00a0«ici»") == 'l\'été - "ici"'


def test_a_family_is_held_out_or_not_whatever_others_there_are(tmp_path: Path) -> None:
    draw_fonts(tmp_path / "few", 12)
    draw_fonts(tmp_path / "many", 40)
    held, seen = ({p.name for p in fonts.families(tmp_path / "many", held_out)} for held_out in (True, False))
    assert held | seen == {f"hand-{i}.ttf" for i in range(40)}
    assert not held & seen
    assert 4 <= len(held) <= 14
    assert {p.name for p in fonts.families(tmp_path / "few", True)} == {n for n in held if int(n[5:-4]) < 12}


def test_fonts_without_an_index_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"fonts\.json"):
        fonts.families(tmp_path, held_out=False)


def test_a_font_whose_small_letters_are_capitals_writes_no_small_letters(tmp_path: Path) -> None:
    draw_font(tmp_path / "caps.ttf", ALPHABET, small_capitals=True)
    draw_font(tmp_path / "both.ttf", ALPHABET)
    capitals, both = fonts.load(tmp_path / "caps.ttf"), fonts.load(tmp_path / "both.ttf")
    assert capitals.capitals_only
    assert not both.capitals_only
    assert not fonts.fits(capitals, "Jean")
    assert fonts.fits(capitals, "JEAN 12")
    assert fonts.fits(both, "Jean")
    assert not fonts.fits(both, "Jéan")


def test_capitals_of_every_font_are_written_in_one_height(tmp_path: Path) -> None:
    draw_font(tmp_path / "both.ttf", ALPHABET)
    glyph = fonts.typeset(fonts.load(tmp_path / "both.ttf"), "HE")
    assert trim(glyph.ink).shape[0] == pytest.approx(CAP, abs=2)
    assert glyph.rise == pytest.approx(CAP, abs=2)


def test_the_last_digits_of_mnist_are_never_drawn_for_training(tmp_path: Path) -> None:
    draw_mnist(tmp_path, 5_020)
    seen, unseen = strokes.mnist(tmp_path, False), strokes.mnist(tmp_path, True)
    assert sum(map(len, seen.values())) == 20
    assert sum(map(len, unseen.values())) == 5_000
    assert np.array_equal(seen["2"][0], unseen["2"][0][:, ::-1])


def test_a_letter_is_drawn_by_nobody_held_out(folder: Path) -> None:
    assert {len(pictures) for pictures in strokes.letters(folder, False).values()} == {3}
    assert {len(pictures) for pictures in strokes.letters(folder, True).values()} == {1}


def test_a_boxed_digit_comes_without_its_box(folder: Path) -> None:
    for pictures in strokes.boxed_digits(folder, False).values():
        for ink in pictures:
            assert ink.shape[0] < 3 * 40
            assert ink.max() > 200


def test_numbers_are_made_of_digits_and_marks() -> None:
    rng = np.random.default_rng(0)
    texts = [numerals.number_like(rng) for _ in range(500)]
    assert set("".join(texts)) <= set("0123456789.,:/-+%() ")
    assert {len(text) for text in texts} >= set(range(1, 11))
    assert {str(digit) for digit in range(10)} <= set("".join(texts))


def test_forms_are_full_of_capitals_and_digits() -> None:
    rng = np.random.default_rng(0)
    text = "".join(fields.text(rng) for _ in range(500))
    assert sum(c.isdigit() for c in text) > 0.2 * len(text)
    assert sum(c.isupper() for c in text) > 0.15 * len(text)
    assert set("ABCDEFGHIJKLMNOPQRSTUVWXYZ") <= set(text)


def test_glyphs_stand_on_one_baseline() -> None:
    tall, deep = np.full((10, 4), 255, np.uint8), np.full((8, 4), 255, np.uint8)
    line = join([Glyph(tall, 10, 2), Glyph(deep, 5)])
    assert line.ink.shape == (13, 10)
    assert line.rise == 10
    assert line.ink[:10, :4].all()
    assert not line.ink[10:, :4].any()
    assert line.ink[5:13, 6:].all()


def test_a_slash_is_taller_than_a_one() -> None:
    rng = np.random.default_rng(0)
    slash, one = (np.mean([sign(rng, c, 3.0).ink.shape[0] for _ in range(30)]) for c in "/1")
    assert slash > 1.15 * one


@pytest.mark.parametrize("character", list(SIGNS))
def test_every_sign_leaves_ink_as_wide_as_its_pen(character: str) -> None:
    glyph = sign(np.random.default_rng(1), character, 4.0)
    assert stroke_width(glyph.ink) == pytest.approx(4.5, abs=2.0)


@pytest.mark.parametrize("pen", PENS)
def test_ink_is_darker_than_its_paper(pen: str) -> None:
    ink = np.zeros((40, 80), np.uint8)
    ink[5:35, 10:14] = ink[5:35, 60:64] = 255
    for seed in range(8):
        crop = picture(np.random.default_rng(seed), Sheet(ink), pen, clutter=0.0)
        gray = crop.mean(2)
        assert np.percentile(gray, 2) < np.median(gray) - 20
        assert crop.shape[0] >= 30
