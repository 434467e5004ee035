"""A record that both sides may change, merged field by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from erphub.erp.documents import Document
from erphub.platform.lexical import is_digits
from erphub.sync.canonical import plain
from erphub.sync.settings.models import SyncDirection

type Fields = dict[str, Any]


@dataclass(frozen=True)
class Merged:
    """One record as it should be on both sides; `overridden` is what gave way, by field."""

    fields: Fields
    overridden: Fields = field(default_factory=dict[str, Any])


def merge(common: Mapping[str, Any], till: Mapping[str, Any], erp: Mapping[str, Any], master: SyncDirection) -> Merged:
    """Merge two sides by field. A field that the ERP does not tell keeps the till's value."""
    fields: Fields = dict(till)
    overridden: Fields = {}
    for name, erp_value in erp.items():
        till_value = till.get(name)
        if name in till and (till_value == erp_value or (name in common and erp_value == common[name])):
            continue
        if name not in till or (name in common and till_value == common[name]):
            fields[name] = erp_value
        elif master is SyncDirection.ERP:
            fields[name], overridden[name] = erp_value, till_value
        else:
            overridden[name] = erp_value
    return Merged(fields, overridden)


def all_fields(document: Document) -> Fields:
    """Every field of a document, nested ones by dotted names."""
    return _flattened(_with_defaults(document))


def provided_fields(document: Document) -> Fields:
    """The fields that were given, not those that were left to their defaults."""
    everything, given = all_fields(document), document.model_fields_set
    return {name: value for name, value in everything.items() if name.split(".")[0] in given}


def _with_defaults(document: Document) -> Fields:
    # Defaults are left out of what is kept; here each field counts, so they are filled in as plain data.
    defaults = document.model_dump(mode="json", exclude={"kind"})
    return cast(Fields, _overlay(defaults, plain(document)))


def _overlay(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    under, over = cast(Fields, below), cast(Fields, above)
    return {name: _overlay(value, over[name]) if name in over else _normalized(value) for name, value in under.items()}


def _normalized(value: Any) -> Any:
    """A default as `plain` would write it: `25.00` and `25` are one."""
    if isinstance(value, str) and is_digits(value.replace(".", "", 1)) and "." in value:
        return value.rstrip("0").rstrip(".")
    return value


def _flattened(fields: Fields, above: str = "") -> Fields:
    flat: Fields = {}
    for name, value in fields.items():
        if isinstance(value, dict):
            flat |= _flattened(cast(Fields, value), f"{above}{name}.")
        else:
            flat[above + name] = value
    return flat


def common_fields(till: Fields, erp: Fields) -> Fields:
    """What both sides have alike: whoever changes it from now on has changed it alone."""
    return {name: value for name, value in erp.items() if name in till and till[name] == value}


def empty_fields(*sides: Fields) -> Fields:
    """What sides that never agreed on anything start from: an empty field of one says nothing against the other."""
    return {name: value for fields in sides for name, value in fields.items() if value in ("", None)}
