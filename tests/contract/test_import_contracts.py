"""Every contract of imports (`[tool.importlinter]` in pyproject.toml) is broken once, in a small tree, and notices."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from erphub.capabilities import CAPABILITIES
from local.emulator import ROOT

SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
ORDER = "Capabilities form one order"
AWS = "AWS is met in stores and wiring alone"
DIALLING = "Connections are opened by platform.outbound"
SYSTEMS = "An ERP system does not know another"


def contract(begin: str) -> dict[str, Any]:
    (found,) = [one for one in SETTINGS["contracts"] if one["name"].startswith(begin)]
    return found


def layers() -> list[str]:
    return [name.strip() for layer in contract(ORDER)["layers"] for name in layer.split("|")]


def lint(root: Path, **modules: str) -> str:
    """What lint-imports says of a tree with the hub's packages, all empty but for these modules (`__` for a dot)."""
    names = [*(f"{name}.service" for name in layers()), "platform.aws.table", *("platform.settings", "lake.dynamodb")]
    names += [name.removeprefix("erphub.") for name in contract(SYSTEMS)["modules"]]
    texts = {f"erphub.{name}": "" for name in names}
    texts |= {f"erphub.{name.replace('__', '.')}": text for name, text in modules.items()}
    for name, text in texts.items():
        path = root.joinpath(*name.split("."))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(text)
    for folder in {path.parent for path in root.rglob("*.py")} | {root / "erphub"}:
        for package in (folder, *folder.parents):
            if package.is_relative_to(root / "erphub"):
                (package / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", root)
    run = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", run],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("breach", "broken"),
    [
        ({}, None),
        ({"events__service": "import erphub.connections.service"}, ORDER),
        ({"imports__service": "import erphub.sync.service"}, ORDER),
        ({"gifts__service": ""}, ORDER),
        ({"webhooks__service": "import erphub.platform.aws.table"}, AWS),
        ({"webhooks__service": "import boto3"}, AWS),
        ({"webhooks__service": "import aws_lambda_powertools"}, AWS),
        ({"webhooks__service": "import os"}, AWS),
        ({"webhooks__service": "import socket"}, DIALLING),
        ({"sync__service": "import httpx"}, DIALLING),
        (
            {
                "erp__systems__visma_business": "import erphub.erp.systems.sqlserver_generic",
                "erp__systems__sqlserver_generic": "",
            },
            SYSTEMS,
        ),
    ],
    ids=lambda value: " ".join(map(" ".join, value.items())) or "nothing" if isinstance(value, dict) else "",
)
@pytest.mark.usefixtures("fresh_python")
def test_a_breach_breaks_its_contract_and_no_other(tmp_path: Path, breach: dict[str, str], broken: str | None):
    said = lint(tmp_path, **breach)
    verdicts = re.findall(r"^(.+) (KEPT|BROKEN)\b", said, re.MULTILINE)
    assert len(verdicts) == len(SETTINGS["contracts"])
    names = [name for name, verdict in verdicts if verdict == "BROKEN"]
    assert [name for name in names if broken is None or not name.startswith(broken)] == []
    assert len(names) == (broken is not None), said


def test_every_package_has_its_place_in_the_order():
    assert set(CAPABILITIES) <= set(layers())
    assert contract(ORDER)["exhaustive"] is True
    assert {path.name.removesuffix(".py") for path in (ROOT / "layers/core/erphub").iterdir()} >= set(layers())
