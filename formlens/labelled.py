"""A folder of scans and the CSVs that people typed goes in; pictures with their rows, and the blank, come out."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from formlens.pages import read_pages
from formlens.scans import SUFFIXES, Scan, find_scans
from formlens.types import CallError, Image, Page


@dataclass(frozen=True)
class Labelled:
    """One scan and what somebody typed for it."""

    scan: Scan
    rows: tuple[dict[str, str], ...]

    @property
    def values(self) -> dict[str, str]:
        """Its only row, or its first."""
        return self.rows[0]


@dataclass(frozen=True)
class Folder:
    """What a form is learned from."""

    labelled: tuple[Labelled, ...]
    blank: Scan | None

    @property
    def is_blank_alone(self) -> bool:
        """Whether no scan is labelled."""
        return not self.labelled

    @property
    def is_table(self) -> bool:
        """Whether some scan has several rows."""
        return any(len(one.rows) > 1 for one in self.labelled)

    def repeats(self, column: str) -> bool:
        """Whether every row of a scan has the same value there."""
        return all(len({row[column] for row in one.rows}) == 1 for one in self.labelled)

    @property
    def columns(self) -> tuple[str, ...]:
        """The header that all CSVs share."""
        return tuple(self.labelled[0].values)


def read_folder(folder: Path, *, blank_alone: bool = False) -> Folder:
    """Pair each scan of a folder with its CSV; ``blank_alone`` if a blank without any labelled scan will do.

    Raises CallError, which names the file, for whatever does not fit.
    """
    if not folder.is_dir():
        raise CallError(f"{folder}: no such folder")
    scans, left = find_scans([folder])
    blanks = [scan for scan in scans if scan.path.stem.lower() == "blank"]
    if len(blanks) > 1:
        raise CallError(f"{blanks[1].path}: a form has one blank, and {blanks[0].path.name} is there too")
    scans = [scan for scan in scans if scan not in blanks]
    tables = {path.with_suffix(""): path for path in left if path.suffix.lower() == ".csv"}
    stems = [scan.path.with_suffix("") for scan in scans]
    for scan, stem in zip(scans, stems, strict=True):
        if stem not in tables:
            raise CallError(f"{scan.path}: no CSV beside it; type one with the same name, {stem.name}.csv")
        if stems.count(stem) > 1:
            raise CallError(f"{scan.path}: another scan has the same name, and one CSV cannot be of both")
    for stem, path in tables.items():
        if stem not in stems and stem.name.lower() == "blank":
            raise CallError(
                f"{path}: the blank is the empty form and has no CSV; name its scan otherwise, or remove this"
            )
        if stem not in stems:
            raise CallError(f"{path}: no scan beside it; FormLens reads {', '.join(sorted(SUFFIXES))}")
    if not scans and blanks and blank_alone:
        return Folder((), blanks[0])
    if not scans:
        raise CallError(f"{folder}: no scan with its CSV; put scans there, and for each a CSV of the same name")
    labelled = tuple(Labelled(scan, _rows(tables[stem])) for scan, stem in zip(scans, stems, strict=True))
    for other in labelled[1:]:
        if tuple(other.values) != tuple(labelled[0].values):
            first = labelled[0].scan.path.with_suffix(".csv").name
            raise CallError(f"{other.scan.path.with_suffix('.csv')}: its header differs from that of {first}")
    return Folder(labelled, blanks[0] if blanks else None)


def pages_of(scan: Scan) -> Iterator[Page]:
    """The pages of a scan that is to be learned from. Raises CallError for a page that cannot be read."""
    for page in read_pages(scan.read_bytes(), scan.source):
        if not isinstance(page, Page):
            raise CallError(f"{scan.path}, page {page.page}: {page.reason}")
        yield page


def only_page(labelled: Labelled) -> Image:
    """The picture of a labelled scan. Raises CallError for a scan of several pages."""
    pages = list(pages_of(labelled.scan))
    if len(pages) != 1:
        raise CallError(f"{labelled.scan.path}: {len(pages)} pages; a scan to learn from has one page and its CSV")
    return pages[0].image


def _rows(path: Path) -> tuple[dict[str, str], ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row for row in csv.reader(stream) if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise CallError(f"{path}: not a CSV in UTF-8; save it anew as CSV UTF-8") from error
    if len(rows) < 2:
        raise CallError(f"{path}: a header and a row of values are needed, {len(rows)} of them found")
    header, *values = ([cell.strip() for cell in row] for row in rows)
    for sign, name in ((";", "semicolons"), ("\t", "tabs")):
        if (
            len(header) == 1
            and sign in header[0]
            and all(row[0].count(sign) == header[0].count(sign) for row in values)
        ):
            raise CallError(f"{path}: its columns are parted by {name}; save it anew with commas between")
    if len(set(header)) < len(header) or "" in header:
        raise CallError(f"{path}: two columns of one name, or one without a name")
    for number, row in enumerate(values, 1):
        if len(row) != len(header):
            raise CallError(f"{path}: {len(header)} columns but {len(row)} values in row {number}")
    return tuple(dict(zip(header, row, strict=True)) for row in values)
