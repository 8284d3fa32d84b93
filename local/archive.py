"""A function's zip file goes in; what is wrong or missing in it, for a device that has nothing else, comes out."""

import ast
import sys
import zipfile
from collections.abc import Iterator

LIMIT = 262_144_000
"""Bytes that a Lambda function may have, unzipped."""
MODELS = ("formlens/reader.onnx", "formlens/marks.onnx", "formlens/calibration.json")


def check_archive(archive: zipfile.ZipFile, handler: str, runtime: str) -> Iterator[str]:
    """Every fault, in words; ``handler`` and ``runtime`` as Lambda names them."""
    names = set(archive.namelist())
    if sum(entry.file_size for entry in archive.infolist()) > LIMIT:
        yield f"the zip file holds more than {LIMIT:,} bytes"
    for entry in archive.infolist():
        if entry.date_time[0] != 1980:
            yield f"{entry.filename} carries the time of its making: its hash is another at every build"
        if not entry.external_attr >> 16 & 0o004:
            yield f"{entry.filename} may be read by its owner alone, and Greengrass' user is another"
        if entry.filename.startswith("/") or ".." in entry.filename.split("/"):
            yield f"{entry.filename} would be unpacked elsewhere"
    for name in MODELS:
        if name not in names:
            yield f"{name} is missing"
    tag = "cpython-" + runtime.removeprefix("python").replace(".", "")
    for name in sorted(names):
        if "cpython-3" in name and f"{tag}-" not in name and name.endswith(".so"):
            yield f"{name} is made for another Python than {runtime}"
        if name.endswith(".so") and "aarch64" in name:
            yield f"{name} is made for another processor"
    module, _, function = handler.partition(".")
    if f"{module}.py" not in names or f"def {function}(" not in archive.read(f"{module}.py").decode():
        yield f"there is no {handler}"
        return
    yield from _imports(archive, names, module)


def _imports(archive: zipfile.ZipFile, names: set[str], module: str) -> Iterator[str]:
    """Modules that are imported, from the handler on, and are neither in the zip file nor Python's own."""
    roots = {name.split("/")[0].removesuffix(".py").split(".")[0] for name in names}
    seen, todo = set[str](), [f"{module}.py"]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for wanted in sorted(_wanted(ast.parse(archive.read(path)))):
            root = wanted.split(".")[0]
            if root in sys.stdlib_module_names:
                continue
            inside = wanted.replace(".", "/")
            if root not in roots:
                yield f"{path} imports {wanted}, which is not in the zip file"
            elif root == "formlens" or f"{root}.py" in names:
                files = [file for file in (f"{inside}.py", f"{inside}/__init__.py") if file in names]
                if not files:
                    yield f"{path} imports {wanted}, which is not in the zip file"
                todo += files


def _wanted(tree: ast.Module) -> set[str]:
    found = set[str]()
    for node in _run(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return found


def _run(node: ast.AST) -> Iterator[ast.AST]:
    """Every part of a module but what is there for the type checker alone."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"):
            yield child
            yield from _run(child)
