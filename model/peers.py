"""Other systems as they come: crops in, texts and confidences out, for comparison on the same crops."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import cv2

from formlens.types import Image


def rapidocr() -> Any:
    """RapidOCR as it comes, or None where it is not installed."""
    if importlib.util.find_spec("rapidocr") is None:
        return None
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "critical"})


def rapidocr_lines(rapid: Any, crops: Sequence[Image]) -> list[tuple[str, float]]:
    """Text and confidence of each crop by RapidOCR's recognizer alone."""
    seen = rapid.recognize_txt(list(crops))
    return [(text, float(score)) for text, score in zip(seen.txts, seen.scores, strict=True)]


def has_tesseract() -> bool:
    """Whether Tesseract can be called."""
    return shutil.which("tesseract") is not None


def tesseract_lines(crops: Sequence[Image], *options: str) -> list[str]:
    """Tesseract's reading of each crop as one line."""
    command = ["tesseract", "-", "-", "--psm", "7", *options]
    alone = {**os.environ, "OMP_THREAD_LIMIT": "1"}  # its threads cost more than they bring on one line
    images = [cv2.imencode(".png", crop)[1].tobytes() for crop in crops]
    runs = [subprocess.run(command, input=one, capture_output=True, check=True, env=alone) for one in images]  # noqa: S603
    return [run.stdout.decode().strip() for run in runs]
