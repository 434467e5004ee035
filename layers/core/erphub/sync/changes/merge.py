"""A record that both sides may change, merged field by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from erphub.erp.documents import Document
from erphub.sync.export_log.canonical import plain
from erphub.sync.settings.models import Master

type Fields = dict[str, Any]


@dataclass(frozen=True)
class Merged:
    """One record as it should be on both sides; `lost` is what gave way, by field."""

    fields: Fields
    lost: Fields = field(default_factory=dict[str, Any])


def merge(base: Mapping[str, Any], till: Mapping[str, Any], erp: Mapping[str, Any], master: Master) -> Merged:
    """Merge two sides by field. A field that the ERP does not tell keeps the till's value."""
    fields: Fields = dict(till)
    lost: Fields = {}
    for name, theirs in erp.items():
        mine = till.get(name)
        if name in till and (mine == theirs or (name in base and theirs == base[name])):
            continue
        if name not in till or (name in base and mine == base[name]):
            fields[name] = theirs
        elif master is Master.ERP:
            fields[name], lost[name] = theirs, mine
        else:
            lost[name] = theirs
    return Merged(fields, lost)


def all_fields(document: Document) -> Fields:
    """Every field of a document, nested ones by dotted names."""
    return _flat(_complete(document))


def told_fields(document: Document) -> Fields:
    """The fields that were given, not those that were left to their defaults."""
    everything, given = all_fields(document), document.model_fields_set
    return {name: value for name, value in everything.items() if name.split(".")[0] in given}


def _complete(document: Document) -> Fields:
    # Defaults are left out of what is kept; here each field counts, so they are filled in as plain data.
    defaults = document.model_dump(mode="json", exclude={"kind"})
    return cast(Fields, _overlay(defaults, plain(document)))


def _overlay(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    under, over = cast(Fields, below), cast(Fields, above)
    return {name: _overlay(value, over[name]) if name in over else _bare(value) for name, value in under.items()}


def _bare(value: Any) -> Any:
    """A default as `plain` would write it: `25.00` and `25` are one."""
    if isinstance(value, str) and value.replace(".", "", 1).isdigit() and "." in value:
        return value.rstrip("0").rstrip(".")
    return value


def _flat(fields: Fields, above: str = "") -> Fields:
    flat: Fields = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            flat |= _flat(cast(Fields, value), f"{above}{name}.")
        else:
            flat[above + name] = value
    return flat
