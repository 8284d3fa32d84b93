"""A table of kinds goes in; CloudFormation can create, change and delete them as resources of a stack."""

from typing import Any
from uuid import uuid4

from ministack.services.cloudformation import provisioners

from local.kinds import Kind, Record
from local.shapes import fit, foreign, lacking, model


def install(service: str, kinds: tuple[Kind, ...]) -> None:
    """Add the types of a service. Raises AttributeError when the emulator no longer has where to put them."""
    for kind in kinds:
        if kind.type:
            provisioners._RESOURCE_HANDLERS[kind.type] = _handlers(service, kind)
            provisioners._REPLACING_PROPERTIES[kind.type] = frozenset(kind.replaced_by)


def _handlers(service: str, kind: Kind) -> dict[str, Any]:
    def create(id: str, properties: Record, stack: str) -> tuple[str, Record]:
        asked = _asked(service, kind, properties)
        own = kind.keys[-1]
        if own in _input(service, kind).members:
            asked.setdefault(own, f"{stack}-{id}-{uuid4().hex[:8]}"[-63:].lstrip("-"))
        return _made(kind, kind.create(asked))

    def update(physical_id: str, old: Record, new: Record, stack: str) -> tuple[str, Record]:
        (record,) = kind.all(**{kind.ref or kind.keys[-1]: physical_id})
        kind.update({**record, **_asked(service, kind, new)})
        return _made(kind, record)

    def delete(physical_id: str, properties: Record) -> None:
        for record in kind.all(**{kind.ref or kind.keys[-1]: physical_id}):
            kind.delete(record, at_once=True)

    return {"create": create, "update": update, "delete": delete}


def _input(service: str, kind: Kind) -> Any:
    return model(service).operation_model(f"Create{kind.noun}").input_shape


def _asked(service: str, kind: Kind, properties: Record) -> Record:
    """The API's arguments for a template's properties. Raises ValueError for what the service would not take."""
    read, shape = kind.reads(properties), _input(service, kind)
    if unknown := sorted(foreign(read, shape)):
        raise ValueError(f"{kind.type}: extraneous key [{', '.join(unknown)}] is not permitted")
    asked: Record = fit(read, shape, blob=lambda text: str(text).encode())
    if missing := [name for name in lacking(asked, shape) if name != kind.keys[-1]]:
        raise ValueError(f"{kind.type}: required key [{', '.join(missing)}] not found")
    return asked


def _made(kind: Kind, record: Record) -> tuple[str, Record]:
    """Its physical id, and what GetAtt may ask for: the record's texts, spelled as CloudFormation does."""
    texts = {name: value for name, value in record.items() if isinstance(value, str)}
    return record[kind.ref or kind.keys[-1]], texts | {n[:1].upper() + n[1:]: value for n, value in texts.items()}
