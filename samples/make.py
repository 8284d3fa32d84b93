"""Make the rendered samples from the real ones: `python samples/make.py` writes tables/tables.pdf and tables/photo.jpg.

In: tables/notebook.png and tables/card.png, two photos of tables drawn by pen. Out: both as pages of one PDF, the way
office scanners store them (one JPEG a page), and the card as if photographed again: at an angle, on a wooden desk,
under a lamp, with a shadow across it. Everything comes from a fixed seed, so the bytes are the same on every run.
"""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray

HERE = Path(__file__).parent
TABLES = HERE / "tables"
DPI = 150
PHOTO = (1600, 1200)
CORNERS = ((255, 330), (1330, 215), (1465, 800), (150, 905))
"""Where the card's corners fall on the photo, clockwise from its top left."""


def main() -> None:
    """Write the rendered samples and their CSVs."""
    sources = [TABLES / "notebook.png", TABLES / "card.png"]
    write_pdf(sources, HERE / "tables" / "tables.pdf")
    write_text(TABLES / "tables.csv", "".join(source.with_suffix(".csv").read_text() for source in sources))
    card = cv2.imread(str(TABLES / "card.png"))
    (TABLES / "photo.jpg").write_bytes(jpeg(photographed(card), 88))
    write_text(TABLES / "photo.csv", (TABLES / "card.csv").read_text())


def write_text(path: Path, text: str) -> None:
    """Write text with the line ends it has, on every system."""
    path.write_bytes(text.encode())


def jpeg(image: NDArray[Any], quality: int) -> bytes:
    """Encode a BGR picture."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def write_pdf(pictures: list[Path], path: Path) -> None:
    """Write one page for each picture, filled by it."""
    pdf = pdfium.PdfDocument.new()
    for source in pictures:
        picture = cv2.imread(str(source))
        height, width = (side * 72 / DPI for side in picture.shape[:2])
        page = pdf.new_page(width, height)
        scan = pdfium.PdfImage.new(pdf)
        scan.load_jpeg(BytesIO(jpeg(picture, 92)), inline=True)
        scan.set_matrix(pdfium.PdfMatrix().scale(width, height))
        page.insert_obj(scan)
        page.gen_content()
    whole = BytesIO()
    pdf.save(whole)
    # Neither the day nor the random number that PDFium puts in: the same samples make the same file.
    text = re.sub(rb"D:[0-9]{14}", b"D:20200101000000", whole.getvalue())
    path.write_bytes(re.sub(rb"(?<=<)[0-9A-F]{32}(?=>)", b"0" * 32, text))


def photographed(sheet: NDArray[Any]) -> NDArray[Any]:
    """A picture of the sheet as it might be taken by hand: perspective, desk, lamp, shadow, blur, noise."""
    rng = np.random.default_rng(17)
    height, width = sheet.shape[:2]
    edges = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    seen = cv2.getPerspectiveTransform(edges, np.array(CORNERS, np.float32))
    paper = cv2.warpPerspective(sheet, seen, PHOTO, flags=cv2.INTER_CUBIC).astype(np.float32)
    outline = np.zeros(PHOTO[::-1], np.uint8)
    cv2.fillConvexPoly(outline, np.array(CORNERS, np.int32), (255,), cv2.LINE_AA)
    covers = (outline / np.float32(255))[..., None]
    # The sheet lies a little above the desk, and the lamp stands to the left: a soft dark rim to the right and below.
    rim = cv2.GaussianBlur(np.roll(covers, (12, 14), (0, 1)), (0, 0), 7)[..., None]
    scene = desk(rng) * (1 - 0.55 * rim) * (1 - covers) + paper * covers
    blurred = cv2.GaussianBlur(scene * lamp()[..., None], (0, 0), 0.9)
    scene = blurred * np.array((0.86, 0.97, 1.06), np.float32)  # the warm light of a bulb
    return np.asarray(np.clip(scene + rng.normal(0, 2.5, scene.shape), 0, 255), np.uint8)


def desk(rng: np.random.Generator) -> NDArray[Any]:
    """Brown boards with a grain along x, float BGR."""
    width, height = PHOTO
    fine = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), sigmaX=60, sigmaY=1)
    broad = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), sigmaX=220, sigmaY=9)
    y = np.arange(height)[:, None]
    grain = 9 * np.sin(y / 13 + 6 * broad / broad.std()) + 7 * fine / fine.std()
    seams = np.where(y % 390 < 4, -35, 0)
    return np.asarray(np.array((52, 88, 132)) + (grain + seams)[..., None], np.float32)


def lamp() -> NDArray[Any]:
    """How much light falls on each pixel: bright at the upper left, less with distance, a soft shadow at the right."""
    width, height = PHOTO
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    distance = np.hypot(x - 380, (y - 250) * 1.2) / 1000
    light = (1.25 / (1 + 0.75 * distance**2)).astype(np.float32)
    arm = np.ones((height, width), np.float32)
    cv2.fillConvexPoly(arm, np.array([(820, 1200), (1460, 300), (1600, 300), (1600, 1200)], np.int32), (0.66,))
    return np.asarray(light * cv2.GaussianBlur(arm, (0, 0), 28))


if __name__ == "__main__":
    main()
