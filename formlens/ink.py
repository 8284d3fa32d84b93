"""An image goes in; its paper without ink, and how far every pixel is from that paper, come out."""

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.types import Image

Gray = NDArray[np.uint8]


def paper_of(image: Image, detail: float) -> Image:
    """The paper under the ink, same shape; `detail` is the height in pixels of the largest ink, a digit or so.

    A closing takes thin strokes away, a median what is left of thick ones, both at reduced scale.
    """
    height, width = image.shape[:2]
    scale = min(1.0, 12.0 / max(detail, 1.0))
    size = max(8, round(width * scale)), max(8, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5)))
    smooth = cv2.medianBlur(closed, 15)
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def contrast_to(paper: Image, image: Image) -> Gray:
    """How much darker than its paper each pixel is, as a share of the paper, 0 to 255; shape (height, width)."""
    ground = cv2.cvtColor(paper, cv2.COLOR_BGR2GRAY)
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    gray = cv2.GaussianBlur(gray, (3, 3), 0)
    return np.asarray(cv2.divide(cv2.subtract(ground, gray), np.maximum(ground, 24), scale=255), np.uint8)


def noise_of(contrast: Gray) -> float:
    """The paper's own unrest: a robust standard deviation of the contrast of blank places, half the image at least."""
    sample = contrast[::3, ::3]
    blank = sample[sample <= np.percentile(sample, 50)].astype(np.float32)
    return 1.7 * float(np.sqrt((blank**2).mean())) + 0.5
