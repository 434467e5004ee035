"""Sizes of what would be uploaded, on both processors, without building or fetching anything.

Layers of wheels are measured when their locks change (`make lock`, `make build`) and written down in layers/sizes.json
with the recipe they were made by; a table that is not of this recipe is refused.
"""

import json
from pathlib import Path
from typing import cast

from layers import build, microsoft
from local import template
from local.emulator import ROOT
from local.lock import LAYERS, OF_THE_WILLING

from . import limits
from .stack import Json, Stack

SIZES = ROOT / "layers/sizes.json"
PROCESSORS = ("arm64", "x86_64")
COMPILED = 2.8
"""Our modules with their bytecode, in terms of their sources: measured 2.65."""

type Sizes = dict[str, Json]
"""{layer: {"recipe": hash, "arm64": bytes, "x86_64": bytes}}."""


def folder_size(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def recorded() -> Sizes:
    """The sizes that were written down."""
    return cast(Sizes, json.loads(SIZES.read_text())) if SIZES.exists() else {}


def measure() -> Sizes:
    """Measure each layer whose recipe has changed, for both processors, and write that down; fetches their wheels."""
    known = recorded()
    sizes: Sizes = {}
    for name in sorted({*LAYERS, *OF_THE_WILLING}):
        recipe = build.recipe(name)
        before = known.get(name, {})
        sizes[name] = before if before.get("recipe") == recipe else _measured(name, recipe)
    SIZES.write_text(json.dumps(sizes, indent=2) + "\n")
    return sizes


def _measured(name: str, recipe: str) -> Json:
    return {"recipe": recipe} | {arch: folder_size(build.wheels(name, build.machine(arch))) for arch in PROCESSORS}


def unzipped(sizes: Sizes, written: Json, *, with_microsofts: bool = False) -> dict[str, dict[str, int]]:
    """{function: {processor: bytes with all of its layers}}; where it is asked for, with Microsoft's driver."""
    own = _sources(ROOT / "layers/core/erphub") + (ROOT / "docs/openapi.json").stat().st_size
    found: dict[str, dict[str, int]] = {}
    for name, function in template.of_type(written, "AWS::Serverless::Function").items():
        layers = [cast(str, layer["Ref"]).removesuffix("Layer").lower() for layer in function["Layers"]]
        code = _sources(ROOT / function["CodeUri"]) + (own if "core" in layers else 0)
        wheels = [sizes[layer] for layer in layers if layer != "core"]
        wheels += [sizes[microsoft.LAYER]] if with_microsofts and "erp" in layers else []
        found[name] = {arch: code + sum(cast(int, layer[arch]) for layer in wheels) for arch in PROCESSORS}
    return found


def _sources(folder: Path) -> int:
    return round(COMPILED * sum(path.stat().st_size for path in folder.rglob("*.py")))


def written_down(sizes: Sizes) -> list[str]:
    """The sizes are of the layers as they are locked now."""
    names = sorted({*LAYERS, *OF_THE_WILLING})
    stale = [name for name in names if sizes.get(name, {}).get("recipe") != build.recipe(name)]
    return [f"layers/sizes.json does not know layer {name} as it is now; say `make sizes`" for name in stale]


def fit(sizes: Sizes, written: Json) -> list[str]:
    """Every function fits with its layers, on both processors, Microsoft's driver among them."""
    most = limits.allowed(limits.UNZIPPED)
    limit = f"{most / 2**20:.0f} of {limits.UNZIPPED / 2**20:.0f} may be used"
    return [
        f"{name}: {size / 2**20:.0f} MB unpacked on {arch}; {limit}"
        for name, on in unzipped(sizes, written, with_microsofts=True).items()
        for arch, size in on.items()
        if size > most
    ]


def artefacts(stack: Stack) -> list[str]:
    """What is written down is true, and fits."""
    sizes = recorded()
    return written_down(sizes) or fit(sizes, dict(stack.written))
