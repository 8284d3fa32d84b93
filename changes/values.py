"""Values of a template go in; text that two templates can be compared by comes out, and the paths where they differ."""

import json
import re
from collections.abc import Iterator
from typing import Any

_DIGEST = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")
_VERSION = re.compile(r"(\w*CurrentVersion[0-9A-F]{8})[0-9a-f]{32}\b")
_ABSENT = object()


def scrubbed(value: Any) -> Any:
    """The same without what follows from the bytes of an asset: digests, and the names of function versions.

    What differs only here is a change of code, not of infrastructure.
    """
    return json.loads(_VERSION.sub(r"\1", _DIGEST.sub("DIGEST", json.dumps(value))))


def text_of(value: Any) -> str:
    """One text for a string or an intrinsic function, however it is spelled; `${…}` is what only a deploy knows."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and len(value) == 1:
        (name, of), *_ = value.items()
        if name == "Ref" and isinstance(of, str):
            return "aws" if of == "AWS::Partition" else f"${{{of}}}"
        if name == "Fn::GetAtt":
            return f"${{{'.'.join(map(str, of)) if isinstance(of, list) else of}}}"
        if name == "Fn::Join" and isinstance(of, list) and len(of) == 2 and isinstance(of[1], list):
            return str(of[0]).join(text_of(part) for part in of[1])
        if name == "Fn::Sub":
            return _substituted(of)
        if name == "Fn::ImportValue":
            return f"${{import {text_of(of)}}}"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return f"${{{json.dumps(value, sort_keys=True)}}}"


def _substituted(of: Any) -> str:
    text, names = (of, {}) if isinstance(of, str) else (of[0], of[1])

    def filled(match: re.Match[str]) -> str:
        name = match[1]
        return text_of(names[name]) if name in names else text_of({"Ref": name})

    return re.sub(r"\$\{([^!}][^}]*)\}", filled, text)


def plain(value: Any) -> str:
    """A value on one line, for people."""
    if isinstance(value, str) or (isinstance(value, dict) and len(value) == 1 and _is_function(next(iter(value)))):
        return text_of(value)
    return json.dumps(_spelled(value), sort_keys=True)


def _spelled(value: Any) -> Any:
    if isinstance(value, dict):
        if len(value) == 1 and _is_function(next(iter(value))):
            return text_of(value)
        return {name: _spelled(of) for name, of in value.items()}
    return [_spelled(of) for of in value] if isinstance(value, list) else value


def _is_function(name: str) -> bool:
    return name == "Ref" or name.startswith("Fn::")


def same(before: Any, after: Any) -> bool:
    """Whether two values say the same, whatever function spells them, and in whatever order a mapping stands."""
    return bool(_spelled(before) == _spelled(after))


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, before, after) of each difference, as deep as both sides have the same shape; None is absent."""
    before, after = (None if value is _ABSENT else value for value in (before, after))
    if same(before, after):
        return
    functions = any(
        isinstance(side, dict) and len(side) == 1 and _is_function(next(iter(side))) for side in (before, after)
    )
    if isinstance(before, dict) and isinstance(after, dict) and not functions:
        for name in sorted({*before, *after}):
            yield from differences(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}.{place}")
    else:
        yield path, before, after


def at(value: Any, path: str) -> Any:
    """What is at a dotted path, None where nothing is."""
    for name in path.split("."):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def mentions(value: Any, id: str) -> bool:
    """Whether a value refers to a resource by its logical id."""
    return bool(re.search(rf"\$\{{{re.escape(id)}[.}}]", json.dumps(_spelled(value))))


def listed(value: Any) -> list[Any]:
    """A list as it is, anything else as a list of one, nothing as none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
