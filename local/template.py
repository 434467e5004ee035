"""Reads template.yaml as data: for what the emulator must be told apart, and for the tests of the cloud's drawing."""

from pathlib import Path
from typing import Any, cast

import yaml

from local.emulator import ROOT

ALIAS = "live"
"""The alias by which every function is called (AutoPublishAlias)."""


class _Loader(yaml.CSafeLoader):
    """YAML with CloudFormation's short intrinsic functions, kept as {"Ref": …} and {"Fn::Name": …}."""


def _intrinsic(loader: yaml.CSafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast(yaml.MappingNode, node), deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)  # pyright: ignore[reportUnknownMemberType]


def load(path: Path = ROOT / "template.yaml") -> dict[str, Any]:
    """The template with its intrinsic functions as plain dictionaries."""
    return cast(dict[str, Any], yaml.load(path.read_text(), _Loader))


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of all resources of one type, by logical name."""
    found = {name: one for name, one in template["Resources"].items() if one["Type"] == kind}
    return {name: one.get("Properties", {}) for name, one in found.items()}
