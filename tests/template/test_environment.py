"""Each function is given the variables that what it serves needs, and none that nobody reads."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from erphub import capabilities
from erphub.platform.capability import Capability, Variable
from erphub.platform.settings import read_settings
from local import api_definition, template
from local.emulator import ROOT

TEMPLATE = template.load()
FUNCTIONS = template.of_type(TEMPLATE, "AWS::Serverless::Function")
EVERYBODYS = {"TABLE_NAME", "STAGE", "ALLOWED_ORIGINS"}
"""What the platform itself reads, whatever a function serves."""
NOT_OURS = ("POWERTOOLS_", "AWS_", "MALLOC_")
"""What libraries and the runtime read."""


class Reading(Mapping[str, str]):
    """An environment that notes what is looked for in it."""

    def __init__(self) -> None:
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def served(name: str) -> set[str]:
    """The modules below `erphub` that a function serves: packages of routes as `package.api`, else what it imports."""
    module = (
        f"{FUNCTIONS[name]['CodeUri'].rstrip('/').replace('/', '.')}.{FUNCTIONS[name]['Handler'].partition('.')[0]}"
    )
    if module in api_definition.MODULES:
        return {f"{package}.api" for package in api_definition.dispatcher(module).routes.packages}
    source = (ROOT / Path(*module.split("."))).with_suffix(".py").read_text()
    imports = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    modules = {str(node.module).removeprefix("erphub.") for node in imports if str(node.module).startswith("erphub.")}
    return {one for one in modules if one.split(".")[0] in capabilities.CAPABILITIES}


def needed(manifest: Capability, modules: set[str]) -> set[str]:
    """The variables that a function which serves these modules of a capability needs."""
    mine = {one for one in modules if one.split(".")[0] == manifest.name}
    return {one.name for one in manifest.environment if mine and (not one.needed_by or mine & set(one.needed_by))}


def given(name: str, properties: dict[str, Any] | None = None) -> set[str]:
    """The variables of a function, with those that all have."""
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    own = (properties or FUNCTIONS[name]).get("Environment", {}).get("Variables", {})
    return {one for one in {**shared, **own} if not one.startswith(NOT_OURS)}


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_function_has_what_the_capabilities_it_serves_need(name: str):
    modules = served(name)
    assert modules, "a function serves something"
    wanted = EVERYBODYS.union(*(needed(one, modules) for one in capabilities.manifests()))
    assert wanted <= given(name)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_what_a_function_is_given_for_itself_is_read_there(name: str):
    own = set(FUNCTIONS[name].get("Environment", {}).get("Variables", {}))
    modules = served(name)
    wanted = set[str]().union(*(needed(one, modules) for one in capabilities.manifests()))
    assert {one for one in own if not one.startswith(NOT_OURS)} <= wanted


def test_every_variable_is_declared_by_a_capability_and_every_one_is_read():
    declared = {one.name for manifest in capabilities.manifests() for one in manifest.environment}
    everybody = set(TEMPLATE["Globals"]["Function"]["Environment"]["Variables"])
    assert {one for one in everybody if not one.startswith(NOT_OURS)} <= declared | EVERYBODYS
    environment = Reading()
    read_settings(environment)
    assert declared | EVERYBODYS <= environment.read
    assert {one for one in environment.read if not one.startswith(NOT_OURS)} == declared | EVERYBODYS


def test_variables_name_modules_that_there_are():
    for manifest in capabilities.manifests():
        for variable in manifest.environment:
            for module in variable.needed_by:
                assert (ROOT / "layers/core/erphub" / Path(*module.split("."))).with_suffix(".py").is_file(), module


def test_a_function_that_lacks_a_variable_would_be_noticed():
    manifest = Capability("sync", "Syncs", environment=(Variable("A"), Variable("B", needed_by=("sync.api",))))
    assert needed(manifest, {"sync.api", "lake.rows.api"}) == {"A", "B"}
    assert needed(manifest, {"sync.tasks"}) == {"A"}
    assert needed(manifest, {"lake.rows.api"}) == set()
    assert "LAKE_BUCKET" in given("", {"Environment": {"Variables": {"MINE": "1"}}})
    assert "MINE" in given("", {"Environment": {"Variables": {"MINE": "1"}}})
