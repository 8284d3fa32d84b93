"""A fillable PDF goes in; the fields of its first page, and what a screen reader says for each of them, come out.

Places, kinds and lengths are those of the widgets (AcroForm), the words those that the publisher wrote for people who
cannot see the page (XFA, `speak`). Fields that may not be filled are left out, and neighbours of one character each
are one field, as they are to whoever fills them.
"""

import ctypes
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pypdfium2
import pypdfium2.raw as pdfium

from formlens.types import Box
from model.filled import DPI

_READ_ONLY = 1


@dataclass(frozen=True)
class Widget:
    """One fillable field."""

    box: Box
    """In pixels of the page at `DPI`."""
    mark: bool
    """Whether it is a box to tick."""
    longest: int
    """How many characters it takes, 0 for any number."""
    said: str
    """What a screen reader says; empty where the PDF does not say."""


def read_widgets(path: Path) -> list[Widget]:
    """The fields of a PDF's first page that can be filled, in their order in the file."""
    document = pypdfium2.PdfDocument(path)
    document.init_forms()
    page = document[0]
    height = page.get_height()
    said = _said(document)
    widgets: list[Widget] = []
    for number in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, number)
        kind = pdfium.FPDFAnnot_GetFormFieldType(document.formenv, annotation)
        ticked = kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON)
        flags = pdfium.FPDFAnnot_GetFormFieldFlags(document.formenv, annotation)
        rectangle, longest = pdfium.FS_RECTF(), ctypes.c_float()
        if not (ticked or kind == pdfium.FPDF_FORMFIELD_TEXTFIELD) or flags & _READ_ONLY:
            continue
        if not pdfium.FPDFAnnot_GetRect(annotation, ctypes.byref(rectangle)):
            continue
        pdfium.FPDFAnnot_GetNumberValue(annotation, b"MaxLen", ctypes.byref(longest))
        edges = rectangle.left, height - rectangle.top, rectangle.right, height - rectangle.bottom
        x0, y0, x1, y1 = (round(edge * DPI / 72) for edge in edges)
        name = _name(document, annotation)
        widget = Widget((x0, y0, x1, y1), ticked, int(longest.value), said.get(name, ""))
        if widgets and _is_next_character(widgets[-1], widget):
            first = widgets[-1].box
            widgets[-1] = replace(widgets[-1], box=(first[0], first[1], x1, y1))
        else:
            widgets.append(widget)
    return widgets


def _is_next_character(last: Widget, widget: Widget) -> bool:
    if last.mark or widget.mark or last.longest != 1 or widget.longest != 1:
        return False
    gap = widget.box[0] - last.box[2]
    return abs(last.box[1] - widget.box[1]) < 3 and 0 <= gap < widget.box[2] - widget.box[0]


def _name(document: Any, annotation: Any) -> str:
    """A field's name with those of all it is part of: `form[0].Page1[0].f1_03[0]`."""
    buffer = (ctypes.c_ushort * 512)()
    size = pdfium.FPDFAnnot_GetFormFieldName(document.formenv, annotation, buffer, 1024)
    return bytes(buffer)[: max(0, size - 2)].decode("utf-16le")


def _said(document: Any) -> dict[str, str]:
    """What is said for each field, by its name; nothing where the PDF carries no XFA."""
    for number in range(max(0, pdfium.FPDF_GetXFAPacketCount(document))):
        label = ctypes.create_string_buffer(64)
        pdfium.FPDF_GetXFAPacketName(document, number, label, 64)
        if label.value != b"template":
            continue
        size = ctypes.c_ulong()
        pdfium.FPDF_GetXFAPacketContent(document, number, None, 0, ctypes.byref(size))
        content = ctypes.create_string_buffer(size.value)
        pdfium.FPDF_GetXFAPacketContent(document, number, content, size.value, ctypes.byref(size))
        return _speeches(ElementTree.fromstring(content.raw[: size.value]))  # noqa: S314 (a known publisher's)
    return {}


def _speeches(parent: ElementTree.Element, path: str = "") -> dict[str, str]:
    """By name what is said for each field below an element."""
    found: dict[str, str] = {}
    count: Counter[str] = Counter()
    for element in parent:
        tag, name = element.tag.rpartition("}")[2], element.get("name", "")
        here = path
        if tag in ("subform", "field", "exclGroup") and name:
            here = f"{path}.{name}[{count[name]}]".removeprefix(".")
            count[name] += 1
        if tag == "field":
            said = [one.text or "" for one in element.iter() if one.tag.rpartition("}")[2] == "speak"]
            found[here] = " ".join(" ".join(said).split())
        else:
            found |= _speeches(element, here)
    return found
