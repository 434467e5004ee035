"""docs/licences.md names all that the layers bring: packages, native code, and the libraries beside it."""

import csv
import re
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from functools import cache
from pathlib import Path

import pytest

from layers import build, microsoft, needs
from local.emulator import ROOT
from local.lock import LAYERS

NAMES = (*sorted(LAYERS), microsoft.LAYER)


def table(name: str) -> list[list[str]]:
    """The cells of a table of the page, without its head."""
    text = (ROOT / "docs/licences.md").read_text().partition(f"<!-- {name} -->")[2].partition("<!-- end of")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.strip().splitlines()[2:]]


PACKAGES = {(layer, package): (licence, native) for layer, package, licence, native in table("packages")}
LIBRARIES = {(package, library) for package, library, _, _ in table("libraries")}


@cache
def layer_of(name: str, machine: str) -> Path:
    return build.wheels(name, machine)


def packages_in(layer: Path) -> Iterator[tuple[str, Message, set[str]]]:
    """Each package of a layer: its name as the locks spell it, its metadata, and the files that its wheel brought."""
    for folder in layer.glob("*.dist-info"):
        metadata = message_from_string((folder / "METADATA").read_text())
        name = re.sub(r"[-_.]+", "-", str(metadata["Name"])).lower()
        yield name, metadata, {row[0] for row in csv.reader((folder / "RECORD").read_text().splitlines())}


def native_in(layer: Path) -> set[str]:
    """Whatever is native code, by its content and not by its name."""
    files = (path for path in layer.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))
    return {str(path.relative_to(layer)) for path in files if needs.needs(path) is not None}


@pytest.fixture(params=sorted(needs.PROCESSORS))
def machine(request: pytest.FixtureRequest) -> str:
    return request.param


def test_every_package_of_every_layer_is_named_and_no_other(machine: str) -> None:
    found = {(layer, name) for layer in NAMES for name, _, _ in packages_in(layer_of(layer, machine))}
    assert found == set(PACKAGES)


@pytest.mark.parametrize("layer", NAMES)
def test_a_licence_is_the_one_that_the_package_states(layer: str, machine: str) -> None:
    for name, metadata, _ in packages_in(layer_of(layer, machine)):
        stated = metadata["License-Expression"] or metadata["License"] or ""
        words = r"\b(MIT-CMU|MIT-0|MIT|MPL-2\.0|BSD-[23]-Clause|Apache-2\.0|PSF-2\.0|Other/Proprietary)\b"
        known = re.findall(words, stated.strip().partition("\n")[0])
        assert all(one in PACKAGES[layer, name][0] for one in known), (name, stated)


@pytest.mark.parametrize("layer", NAMES)
def test_native_code_is_told_of_every_package_that_has_some(layer: str, machine: str) -> None:
    native = native_in(layer_of(layer, machine))
    with_native = {name for name, _, files in packages_in(layer_of(layer, machine)) if native & files}
    assert with_native == {
        of for (at, of), (_, said) in PACKAGES.items() if at == layer and not said.startswith("none")
    }


def test_every_library_that_a_wheel_brings_beside_its_code_is_named_and_no_other(machine: str) -> None:
    found: set[tuple[str, str]] = set()
    for layer in NAMES:
        for path in map(Path, native_in(layer_of(layer, machine))):
            if path.parent.name.endswith((".libs", "lib")) and path.name.startswith("lib"):
                owner = path.parts[0].removesuffix(".libs").replace("_", "-")
                found.add((owner, re.sub(r"(-[0-9a-f]{8})?(\.\d+)?\.so.*$", "", path.name)))
    assert found == LIBRARIES


def test_no_native_code_is_of_no_package(machine: str) -> None:
    """Kerberos beside Microsoft's driver is a copy that the build makes; nothing else is."""
    made = {"libkrb5.so.3", "libgssapi_krb5.so.2"}
    for layer in NAMES:
        layer_files = layer_of(layer, machine)
        known = {file for _, _, files in packages_in(layer_files) for file in files}
        assert {one for one in native_in(layer_files) - known if Path(one).name not in made} == set(), layer
