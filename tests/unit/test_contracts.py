"""The import contracts watch every use-case: one that was forgotten in a contract would be free to reach for AWS."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
FLOORS, AWS_IS_ONE_ROOM, SYSTEMS = SETTINGS["tool"]["importlinter"]["contracts"]


def use_cases() -> set[str]:
    """The modules that share a floor with the AWS room."""
    floor = next(layer for layer in FLOORS["layers"] if "access" in layer)
    there = {path.stem for path in (ROOT / "layers/core/erphub").iterdir() if not path.name.startswith("_")}
    return {f"erphub.{name}" for name in re.findall(r"\w+", floor) if name != "aws" and name in there}


def test_no_use_case_may_reach_for_aws():
    assert use_cases() <= set(AWS_IS_ONE_ROOM["source_modules"])


def test_no_erp_system_knows_a_use_case():
    assert use_cases() <= set(SYSTEMS["forbidden_modules"])
