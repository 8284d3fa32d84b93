"""A learned form is read however its copy lay on the glass or before the camera; what is no copy is refused by name."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from formlens.form import Form
from formlens.labelled import read_folder
from formlens.learn import learn_form
from formlens.pipeline import read_page
from formlens.reader import Reader
from formlens.types import Page
from forms import FIELDS, SIZE, VALUES, Image, draw_form, fill, photograph, scan, write_labelled


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


@pytest.fixture(scope="module")
def form(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Form:
    return learn_form(read_folder(write_labelled(tmp_path_factory.mktemp("robust"), 2)), "intake", reader).form


def filled() -> Image:
    return fill(draw_form(), VALUES[2], ticked=True)


def moved(page: Image, across: Callable[..., np.ndarray], down: Callable[..., np.ndarray]) -> Image:
    """A page whose point (x, y) shows what was at x + across(x, y), y + down(x, y)."""
    x, y = np.meshgrid(np.arange(page.shape[1], dtype=np.float32), np.arange(page.shape[0], dtype=np.float32))
    left, top = np.asarray(x + across(x, y), np.float32), np.asarray(y + down(x, y), np.float32)
    return np.asarray(cv2.remap(page, left, top, cv2.INTER_LINEAR, borderValue=(250, 250, 250)), np.uint8)


def turned(quarters: int) -> Image:
    return scan(filled(), 4, quarter_turns=quarters).image


def margins() -> Image:
    """Another scanner: half the resolution, a black bed on two sides, the sheet's own edge cut off on one."""
    page = cv2.resize(filled(), None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)[:, 25:]
    return np.asarray(cv2.copyMakeBorder(page, 90, 40, 160, 0, cv2.BORDER_CONSTANT, value=(25, 25, 25)), np.uint8)


def enlarged() -> Image:
    return np.asarray(
        cv2.resize(scan(filled(), 4).image, None, fx=1.8, fy=1.8, interpolation=cv2.INTER_CUBIC), np.uint8
    )


def folded() -> Image:
    """Folded across: the lower half sits lower and askew, and the fold is a dark line."""
    page = filled()
    upper, lower = page[:660].copy(), page[660:].copy()
    turn = cv2.getRotationMatrix2D((SIZE[0] / 2, 0), 0.35, 1.0)
    askew = cv2.warpAffine(lower, turn, (SIZE[0], lower.shape[0]), borderValue=(250, 250, 250))
    crease = np.full((5, SIZE[0], 3), 165, np.uint8)
    return np.asarray(np.vstack([upper, crease, askew]), np.uint8)


def stained() -> Image:
    """A ring and a splash of coffee over print and over what is written."""
    ink = np.zeros((SIZE[1], SIZE[0]), np.float32)
    cv2.circle(ink, (640, 400), 190, (1.0,), 16, cv2.LINE_AA)
    cv2.circle(ink, (640, 400), 182, (0.35,), -1, cv2.LINE_AA)
    cv2.circle(ink, (250, 1000), 120, (0.6,), -1, cv2.LINE_AA)
    brown = np.array([90, 130, 165], np.float32) / 255
    share = cv2.GaussianBlur(ink, (0, 0), 3)[..., None] * 0.55
    return np.asarray(filled() * (1 - share * (1 - brown)), np.uint8)


def curled() -> Image:
    """A sheet that does not lie flat: its lines are waves of eight pixels."""
    return moved(filled(), lambda x, y: 0 * x, lambda x, y: 8 * np.sin(x / SIZE[0] * np.pi))


def pulled() -> Image:
    """A feeder that pulled the sheet unevenly."""
    return moved(filled(), lambda x, y: 5 * np.sin(y / SIZE[1] * 2 * np.pi), lambda x, y: 10 * (y / SIZE[1]) ** 2)


def on_a_desk() -> Image:
    """A photo from the side, in the light of a lamp, with other things on the desk."""
    photo = photograph(filled(), 6).image.astype(np.float32)
    rng = np.random.default_rng(3)
    desk = (photo.mean(axis=2) < 110)[..., None]
    grain = cv2.resize(rng.uniform(50, 150, (140, 10)).astype(np.float32), SIZE, interpolation=cv2.INTER_CUBIC)
    things = np.repeat(grain[..., None], 3, axis=2)
    cv2.rectangle(things, (0, 40), (70, 600), (40, 60, 190), -1)
    cv2.circle(things, (960, 1320), 70, (200, 190, 180), -1)
    lamp = cv2.resize(np.array([[1.0, 0.82], [0.75, 0.6]], np.float32), SIZE, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(np.where(desk, things, photo) * lamp[..., None], 0, 255), np.uint8)


def under_a_lamp() -> Image:
    """A photo whose far corner is half as light: corners of print crowd where it is bright."""
    photo = photograph(filled(), 5).image
    lamp = cv2.resize(np.array([[1.0, 0.82], [0.75, 0.6]], np.float32), SIZE, interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(photo * lamp[..., None], 0, 255), np.uint8)


WAYS: dict[str, Callable[[], Image]] = {
    "on its side": lambda: turned(1),
    "upside down": lambda: turned(2),
    "on its other side": lambda: turned(3),
    "other margins": margins,
    "enlarged": enlarged,
    "folded": folded,
    "stained": stained,
    "curled": curled,
    "pulled": pulled,
    "under a lamp": under_a_lamp,
    "on a desk": on_a_desk,
    "on a desk, on its side": lambda: np.ascontiguousarray(np.rot90(on_a_desk())),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_is_read_however_it_was_taken(form: Form, reader: Reader, way: str) -> None:
    result = read_page(Page(WAYS[way](), "new.png", 1), reader, [form])
    assert result.reason is None
    assert {cell.column: cell.text for cell in result.cells} == {**VALUES[2], "smoker": "yes"}


def only_the_head() -> Image:
    """The same head on a sheet of other print below."""
    page = draw_form(4)
    page[:180] = draw_form()[:180]
    return page


def torn() -> Image:
    """A third of the form."""
    return np.ascontiguousarray(filled()[:470])


def letter() -> Image:
    page = np.full((SIZE[1], SIZE[0], 3), 250, np.uint8)
    for y in range(150, 1200, 46):
        cv2.putText(page, "with kind regards and all the best", (80, y), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (30, 30, 30), 2)
    return page


def empty_table() -> Image:
    page = np.full((SIZE[1], SIZE[0], 3), 250, np.uint8)
    for (x0, y0, x1, y1), _ in zip(FIELDS.values(), range(9), strict=False):
        cv2.rectangle(page, (x0, y0), (x1, y1), (0, 0, 0), 2)
    return page


OTHERS: dict[str, Callable[[], Image]] = {
    "another form": lambda: scan(draw_form(3), 1).image,
    "the same head": only_the_head,
    "torn": torn,
    "a letter": letter,
    "boxes without print": empty_table,
    "another form, upside down": lambda: scan(draw_form(2), 1, quarter_turns=2).image,
    "a photo of another form": lambda: photograph(draw_form(6), 2).image,
    "nothing": lambda: np.full((700, 500, 3), 255, np.uint8),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_no_copy_is_refused_by_name(form: Form, reader: Reader, other: str) -> None:
    result = read_page(Page(OTHERS[other](), "other.png", 1), reader, [form])
    assert (result.status, result.reason) == ("unreadable", 'this page does not look like form "intake"')
