from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from formlens import sighting, watching
from formlens.frames import Frame
from formlens.likeness import OTHER, difference, portrait
from formlens.watching import Look, Watch
from forms import VALUES, draw_form, fill
from model.recordings import Moment, film, lying, placed

Image = NDArray[np.uint8]

SIZE = 1440, 1080
FORM = fill(draw_form(), VALUES[0])
OTHER_COPY = fill(draw_form(), {**VALUES[0], "age": "37"})
WHERE = lying(FORM, tall=0.66)


def frames(page: Image, moments: list[Moment], seed: int = 0) -> Iterator[Frame]:
    for image in film(page, moments, seed=seed, size=SIZE):
        yield Frame(jpeg=cv2.imencode(".jpg", image)[1].tobytes())


def looks(watch: Watch, seen: Iterable[Frame], *, readable: bool = True) -> list[Look]:
    """What the watch makes of the frames; every page is answered at once."""
    found = []
    for frame in seen:
        found.append(watch.look(frame))
        if found[-1].ready:
            found.append(watch.take())
        if found[-1].page is not None and (readable or not watch.failed()):
            watch.kept(readable=readable)
    return found


def pages(found: list[Look]) -> list[Image]:
    return [look.page for look in found if look.page is not None]


def hints_of(moment: Moment, page: Image = FORM, count: int = 24) -> list[str]:
    return [look.hint for look in looks(Watch(), frames(page, [moment] * count))]


@pytest.fixture(scope="module")
def shown() -> list[Look]:
    """A sheet is brought by a hand, the lens hunts, a shadow passes, the hand takes it away."""
    return looks(Watch(), frames(FORM, [*placed(WHERE, shadow=0.62), *[Moment()] * 12]))


def test_a_sheet_that_is_put_under_the_camera_is_taken_once_square_and_sharp(shown: list[Look]) -> None:
    (page,) = pages(shown)
    height, width = page.shape[:2]
    assert abs(width / height - FORM.shape[1] / FORM.shape[0]) < 0.03
    assert difference(portrait(page), portrait(FORM)) < 2 * OTHER  # drawn copy and photo differ by their blur alone


def test_the_keeper_is_told_what_happens(shown: list[Look]) -> None:
    hints = [look.hint for look in shown]
    told = [hint for hint, before in zip(hints, [None, *hints], strict=False) if hint != before]
    assert told[0] == watching.MOVING
    assert told.index(watching.READ) > told.index(watching.WAITING)
    assert told[-1] == sighting.NOTHING


def test_a_blurred_frame_is_never_the_one_taken() -> None:
    hunting = [Moment(WHERE, blur=blur) for blur in (5, 4, 3, 2.5, 2, 2, 2.5, 3, 4, 5)]
    assert not pages(looks(Watch(), frames(FORM, hunting * 2)))


def test_the_same_sheet_pushed_aside_or_under_another_light_is_not_read_again(shown: list[Look]) -> None:
    watch = Watch(portrait(pages(shown)[0]))
    for moment in (
        Moment(lying(FORM, tall=0.65, turned=4, at=(0.52, 0.37))),
        Moment(WHERE, shadow=0.6),
        Moment(lying(FORM, tall=0.65, turned=181), light=0.75),
    ):
        found = looks(watch, frames(FORM, [Moment(), Moment(), *[moment] * 28]))
        assert not pages(found)
        assert found[-1].hint == watching.SEEN


def test_a_copy_with_one_other_digit_is_another_page(shown: list[Look]) -> None:
    watch = Watch(portrait(pages(shown)[0]))
    assert len(pages(looks(watch, frames(OTHER_COPY, [Moment(), *[Moment(WHERE)] * 28], seed=3)))) == 1


def test_a_sheet_that_cannot_be_read_is_tried_again_and_then_left() -> None:
    found = looks(Watch(), frames(FORM, [Moment(WHERE)] * 90), readable=False)
    assert len(pages(found)) == watching.ATTEMPTS
    assert found[-1].hint == watching.UNREAD


@pytest.mark.parametrize(
    ("moment", "hint"),
    [
        (Moment(), sighting.NOTHING),
        (Moment(WHERE, light=0.2), sighting.DARK),
        (Moment(WHERE, blur=4), sighting.BLURRED),
        (Moment(lying(FORM, tall=0.4)), sighting.CLOSER),
        (Moment(lying(FORM, tall=0.2)), sighting.CLOSER),
        (Moment(lying(FORM, tall=0.66, at=(0.5, 0.6))), sighting.CUT_OFF),
        (Moment(lying(FORM, tall=0.66, at=(0.2, 0.5))), sighting.CUT_OFF),
        (Moment(lying(FORM, tall=0.72)), sighting.CUT_OFF),
        (Moment(WHERE, hand=(0.6, 0.4)), sighting.COVERED),
    ],
)
def test_each_lack_is_named_and_nothing_is_taken(moment: Moment, hint: str) -> None:
    assert hints_of(moment)[-1] == hint


def test_a_dark_band_printed_to_the_edge_does_not_keep_a_form_unread_for_ever() -> None:
    page = FORM.copy()
    page[300:420, :] = (120, 40, 30)
    still = [next(frames(page, [Moment(WHERE)]))] * (2 * watching.PATIENCE)
    assert len(pages(looks(Watch(), still))) == 1


def test_a_broken_frame_is_passed_over() -> None:
    whole = list(frames(FORM, [Moment(WHERE)] * 30))
    seen = [frame for pair in zip(whole, [Frame(jpeg=b"\xff\xd8\xff")] * 30, strict=True) for frame in pair]
    assert len(pages(looks(Watch(), seen))) == 1
