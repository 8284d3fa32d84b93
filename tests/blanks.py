"""Draws blank forms, and knows what is printed where; for the tests."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from formlens.printed import Line

Image = NDArray[np.uint8]
Box = tuple[int, int, int, int]

FONT = cv2.FONT_HERSHEY_SIMPLEX
SIZE = 1700, 2200


def _paper() -> Image:
    return np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)


@dataclass
class Drawn:
    """A blank that is being printed: its picture, its lines of text, and the places to fill with their labels."""

    image: Image = field(default_factory=_paper)
    lines: list[Line] = field(default_factory=list)
    places: dict[str, Box] = field(default_factory=dict)

    def text(self, words: str, x: int, y: int, size: float = 0.8) -> int:
        """Print words with their foot at y; where they end is handed back."""
        (wide, tall), below = cv2.getTextSize(words, FONT, size, 1)
        cv2.putText(self.image, words, (x, y), FONT, size, (0, 0, 0), 2, cv2.LINE_AA)
        self.lines.append(Line(words, (x - 2, y - tall - 4, x + wide + 2, y + below)))
        return x + wide

    def rule(self, x0: int, y0: int, x1: int, y1: int) -> None:
        cv2.line(self.image, (x0, y0), (x1, y1), (0, 0, 0), 2)

    def box(self, x0: int, y0: int, x1: int, y1: int) -> None:
        cv2.rectangle(self.image, (x0, y0), (x1, y1), (0, 0, 0), 2)

    def read(self, image: Image) -> list[Line]:
        """What a faultless reader of print says of this blank."""
        assert image.shape == self.image.shape
        return self.lines


def draw_blank() -> Drawn:
    """Every kind of place on one page, with paragraphs and ornaments between that are none."""
    page = Drawn()
    page.text("APPLICATION FOR A LIBRARY CARD", 420, 120, 1.4)
    page.rule(100, 150, 1600, 150)
    page.text(
        "Please write in block letters and hand this sheet in at the desk of your branch, where you will be", 100, 190
    )
    page.text("given your card as soon as someone has looked at what you wrote on it and has put it on file.", 100, 222)
    page.rule(100, 250, 1600, 250)
    # cells with their labels above, in one row
    page.rule(100, 360, 1600, 360)
    page.rule(900, 250, 900, 360)
    page.text("Surname", 108, 284, 0.7)
    page.text("First name", 908, 284, 0.7)
    page.places |= {"Surname": (100, 312, 899, 359), "First name": (901, 312, 1600, 359)}
    # a line after its label, and one with the label below
    end = page.text("Street and number:", 100, 450)
    page.rule(end + 14, 454, 1100, 454)
    page.places["Street and number"] = (end + 14, 410, 1100, 454)
    page.rule(1150, 454, 1600, 454)
    page.text("Town", 1155, 478, 0.6)
    page.places["Town"] = (1150, 410, 1600, 454)
    # a comb of closed boxes
    page.text("Postcode", 100, 560)
    for number in range(5):
        page.box(300 + 44 * number, 524, 344 + 44 * number, 570)
    page.places["Postcode"] = (300, 524, 520, 570)
    # a framed box for an amount
    page.text("Number of books", 700, 560)
    page.box(960, 520, 1160, 570)
    page.places["Number of books"] = (960, 520, 1160, 570)
    # boxes to mark, and a yes and a no
    for number, word in enumerate(("Student", "Pensioner", "Teacher")):
        x = 100 + 300 * number
        page.box(x, 640, x + 28, 668)
        page.text(word, x + 40, 664)
        page.places[word] = (x, 640, x + 28, 668)
    page.text("Do you own a card already?", 100, 744)
    for x, word in ((700, "Yes"), (860, "No")):
        page.box(x, 720, x + 28, 748)
        page.text(word, x + 40, 744)
    page.places["Do you own a card already?"] = (700, 720, 888, 748)
    # a table
    for y in (820, 880, 930, 980, 1030):
        page.rule(100, y, 1300, y)
    for x in (100, 700, 1000, 1300):
        page.rule(x, 820, x, 1030)
    for x, word in ((120, "Title of the book"), (720, "Author"), (1020, "Year")):
        page.text(word, x, 862)
        for row in range(3):
            y = 930 + 50 * row
            left = x - 20
            wide = 600 if left == 100 else 300
            page.places[f"row {row + 1} {word}"] = (left, y - 48, left + wide, y)
    # a shaded cell is not to be filled
    cv2.rectangle(page.image, (1320, 880), (1600, 930), (190, 190, 190), -1)
    page.rule(1300, 930, 1600, 930)
    page.text("This part is for the branch; whoever works there signs it before the card is handed over and", 100, 1130)
    page.text(
        "keeps one copy, as the law of the land asks of every public library that lends any books to you.", 100, 1162
    )
    page.rule(100, 1230, 1600, 1230)
    page.text("Page 1 of 1", 760, 1270, 0.6)
    return page


def draw_unruled() -> Drawn:
    """A form that has nothing but labels with their colons."""
    page = Drawn()
    page.text("Visit of a patient", 600, 120, 1.4)
    for number, word in enumerate(("Name:", "Born on:", "Weight (kg):", "Seen by:")):
        y = 300 + 100 * number
        end = page.text(word, 150, y)
        page.places[word.rstrip(":")] = (end + 8, y - 30, 1500, y + 8)
    page.text("Nothing to be paid for this visit by anybody who lives in the district of this surgery here", 150, 900)
    page.rule(1500, 890, 1502, 890)
    return page


def draw_cells() -> Drawn:
    """Cells side by side and below each other, each with its own label at its top."""
    page = Drawn()
    page.text("Wage and Tax Statement", 500, 100, 1.2)
    across = (100, 800, 1200, 1600)
    for row, words in enumerate(
        (
            ("a Social security number", "1 Wages", "2 Tax withheld"),
            ("b Employer number", "3 Other wages", "4 Other tax"),
            ("c Control number", "5 Tips", "6 Allocated tips"),
        )
    ):
        top = 200 + 90 * row
        for x0, x1, word in zip(across, across[1:], words, strict=False):
            page.box(x0, top, x1, top + 90)
            page.text(word, x0 + 8, top + 24, 0.6)
            page.places[word] = (x0, top + 42, x1, top + 90)
    return page


def draw_questions() -> Drawn:
    """A table of questions with a column to cross for yes and one for no."""
    page = Drawn()
    page.text("Questions before the vaccination", 500, 100, 1.2)
    for y in (200, 250, 300, 350, 400):
        page.rule(100, y, 1400, y)
    for x in (100, 1200, 1300, 1400):
        page.rule(x, 200, x, 400)
    page.text("Yes", 1222, 236)
    page.text("No", 1326, 236)
    for row, words in enumerate(("Do you have a fever today?", "Are you allergic to eggs?", "Did you faint before?")):
        page.text(words, 110, 286 + 50 * row)
        page.places[words] = (1201, 252 + 50 * row, 1399, 299 + 50 * row)
    return page


def draw_dotted() -> Drawn:
    """Dotted lines after their labels, lines below each other for one answer, and lines with their labels below."""
    page = Drawn()
    page.text("Antrag", 700, 120, 1.5)
    for row, word in enumerate(("Name, Vorname", "Geburtsdatum", "Strasse", "Telefon")):
        y = 300 + 80 * row
        end = page.text(word, 120, y)
        for x in range(end + 12, 1500, 9):
            cv2.circle(page.image, (x, y + 2), 1, (0, 0, 0), -1)
        page.places[word] = (end + 12, y - 44, 1500, y + 2)
    page.text("Grund", 120, 700)
    for y in (770, 830, 890):
        page.rule(120, y, 1500, y)
    page.places["Grund"] = (120, 724, 1500, 890)
    for x0, x1, word in ((120, 600, "Ort, Datum"), (800, 1500, "Unterschrift")):
        page.rule(x0, 1030, x1, 1030)
        page.text(word, x0 + 5, 1054, 0.6)
        page.places[word] = (x0, 986, x1, 1030)
    return page


def draw_record() -> Drawn:
    """Labels that begin their cells, circles to mark, framed boxes below their labels, and one for many lines."""
    page = Drawn()
    page.text("Patient record", 600, 100, 1.3)
    for row, words in enumerate((("Name:", "Date of birth:"), ("Ward", "Bed"), ("Weight (kg)", "Height (cm)"))):
        for x, word in zip((100, 850), words, strict=True):
            y = 200 + 60 * row
            page.box(x, y, x + 750, y + 60)
            end = page.text(word, x + 10, y + 40)
            page.places[word.rstrip(":")] = (end + 8, y + 2, x + 748, y + 60)
    page.text("Sex", 100, 482)
    for x, word in ((300, "male"), (500, "female"), (720, "other")):
        cv2.circle(page.image, (x, 474), 14, (0, 0, 0), 2)
        page.text(word, x + 26, 482)
        page.places[word] = (x - 14, 460, x + 14, 488)
    for x, word in ((100, "First name"), (600, "Last name"), (1100, "E-mail")):
        page.text(word, x, 600, 0.7)
        page.box(x, 612, x + 450, 672)
        page.places[word] = (x, 612, x + 450, 672)
    page.text("Comments", 100, 760, 0.7)
    page.box(100, 772, 1600, 1060)
    page.places["Comments"] = (100, 772, 1600, 1060)
    return page
