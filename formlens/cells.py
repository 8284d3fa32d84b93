"""Results go in, the cells JSON comes out (and back): one object a page, written page by page in flat memory."""

import json
from typing import Any, TextIO

from formlens.types import Cell, PageResult

JsonObject = dict[str, Any]


def page_json(result: PageResult) -> JsonObject:
    """One page in the shape of the cells JSON."""
    page: JsonObject = {"source": result.source, "page": result.page, "form": result.form, "status": result.status}
    if result.status == "unreadable":
        page["reason"] = result.reason
    page["cells"] = [
        {
            "row": cell.row,
            "column": cell.column,
            "text": cell.text,
            "confidence": round(cell.confidence, 6),
            "flagged": cell.flagged,
            "box": list(cell.box),
        }
        | ({"why": cell.why} if cell.why else {})
        for cell in result.cells
    ]
    return page


def page_from_json(page: JsonObject) -> PageResult:
    """The page that `page_json` wrote. Raises KeyError or TypeError for another shape."""
    cells = tuple(
        Cell(c["row"], c["column"], c["text"], c["confidence"], c["flagged"], tuple(c["box"]), c.get("why", ""))
        for c in page["cells"]
    )
    return PageResult(page["source"], page["page"], page["status"], page["form"], cells, page.get("reason"))


class CellsFile:
    """All pages as one JSON object, a line a page."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._first = True
        stream.write('{"pages": [')

    def add(self, result: PageResult) -> None:
        """Append one page."""
        self._stream.write("\n" if self._first else ",\n")
        self._stream.write(json.dumps(page_json(result), ensure_ascii=False))
        self._first = False

    def close(self) -> None:
        """Close the JSON object."""
        self._stream.write("\n]}\n")
