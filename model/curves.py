"""A training's history in, a picture of its curves out."""

from pathlib import Path

import cv2
import numpy as np

from formlens.types import Image
from model.checkpoint import Progress

WIDTH, HEIGHT, EDGE = 900, 340, 46
COLOURS = (
    (180, 90, 20),
    (40, 120, 30),
    (30, 30, 190),
    (150, 40, 150),
    (20, 140, 190),
    (120, 120, 20),
    (60, 60, 60),
    (200, 60, 120),
    (0, 90, 140),
)

Curve = list[tuple[int, float]]


def draw_curves(progress: Progress, path: Path) -> None:
    """Write a PNG with the loss above and the held-out character error rate of each set below."""
    losses: dict[str, Curve] = {"loss per character": [(step, loss) for step, loss, _ in progress.losses]}
    errors: dict[str, Curve] = {}
    for step, sets in progress.scores:
        for name, (_, wrong) in sets.items():
            errors.setdefault(name, []).append((step, wrong))
    cv2.imwrite(
        str(path), np.vstack([_panel(losses, "training loss"), _panel(errors, "character error rate, held out")])
    )


def _panel(curves: dict[str, Curve], title: str) -> Image:
    """One diagram; the vertical axis is logarithmic, for what matters is the factor."""
    panel = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    cv2.putText(panel, title, (EDGE, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 1, cv2.LINE_AA)
    points = [point for curve in curves.values() for point in curve]
    if not points:
        return panel
    last = max(step for step, _ in points) or 1
    values = [max(value, 1e-4) for _, value in points]
    low, high = np.log10(min(values)) - 0.05, np.log10(max(values)) + 0.05
    room = WIDTH - 4 * EDGE, HEIGHT - 2 * EDGE

    def place(step: int, value: float) -> tuple[int, int]:
        share = (np.log10(max(value, 1e-4)) - low) / (high - low)
        return EDGE + round(step / last * room[0]), HEIGHT - EDGE - round(share * room[1])

    for mark in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5):
        if low <= np.log10(mark) <= high:
            x, y = place(0, mark)
            cv2.line(panel, (x, y), (x + room[0], y), (225, 225, 225), 1)
            cv2.putText(panel, f"{mark:g}", (2, y + 4), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (90, 90, 90), 1, cv2.LINE_AA)
    cv2.putText(
        panel, f"step {last}", (EDGE + room[0] - 60, HEIGHT - 20), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (90, 90, 90), 1
    )
    for i, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[i % len(COLOURS)]
        cv2.polylines(panel, [np.array([place(*point) for point in curve], np.int32)], False, colour, 1, cv2.LINE_AA)
        cv2.putText(
            panel, name, (EDGE + room[0] + 10, EDGE + 18 * i), cv2.FONT_HERSHEY_SIMPLEX, 0.42, colour, 1, cv2.LINE_AA
        )
    return panel
