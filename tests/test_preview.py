import http.client
import json
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from formlens.frames import Frame
from formlens.preview import Preview
from formlens.watching import READ, Look


@pytest.fixture
def preview() -> Iterator[Preview]:
    made = Preview(0)
    yield made
    made.close()


def get(preview: Preview, path: str, host: str | None = None) -> tuple[int, bytes]:
    address = preview.url.removeprefix("http://").rstrip("/")
    connection = http.client.HTTPConnection(address, timeout=5)
    connection.request("GET", path, headers={"Host": host or address})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    return answer.status, data


def test_the_page_says_what_the_keeper_is_to_do_and_lists_the_newest_page_first(preview: Preview) -> None:
    preview.show(None, Look("move closer"))
    for number in range(20):
        preview.add({"source": f"{number}.jpg", "cells": []})
    state = json.loads(get(preview, "/state")[1])
    assert state["hint"] == "move closer"
    assert [page["source"] for page in state["pages"]] == [f"{number}.jpg" for number in range(19, 7, -1)]
    assert b"/frame.jpg" in get(preview, "/")[1]


def test_the_picture_shows_where_the_sheet_was_found(preview: Preview) -> None:
    corners = np.array([[100.0, 80], [900, 80], [900, 600], [100, 600]])
    frame = Frame(jpeg=cv2.imencode(".jpg", np.zeros((720, 1280, 3), np.uint8))[1].tobytes())
    assert get(preview, "/frame.jpg")[0] == 200  # before the first frame too
    preview.show(frame, Look(READ, corners))
    preview.show(None, Look(READ, corners))
    picture = cv2.imdecode(np.frombuffer(get(preview, "/frame.jpg?1")[1], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (540, 960, 3)
    green = picture[..., 1] > 120
    ys, xs = np.nonzero(green)
    assert np.allclose([xs.min(), ys.min(), xs.max(), ys.max()], [75, 60, 675, 450], atol=4)


def test_nobody_but_this_machine_gets_anything(preview: Preview) -> None:
    assert preview.url.startswith("http://127.0.0.1:")
    for path in ("/", "/state", "/frame.jpg"):
        assert get(preview, path, host="evil.example:80")[0] == 403
    assert get(preview, "/../preview.py")[0] == 404
