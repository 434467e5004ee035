"""A new entity costs one folder and three lines: notes on a connection, added to a copy of the source tree.

What is added lies in tests/contract/notes. CONTRIBUTING.md tells the same recipe and names the same figures.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.emulator import ROOT
from tests.support.integration import integration

TEMPLATE = ROOT / "tests/contract/notes"
COPIED = ("layers/core", "functions", "local", "events", "tests", "benchmarks", "statemachines")
FILES = ("pyproject.toml", "template.yaml", "README.md", "api.json", "docs/openapi.json")
LINES = (
    ("layers/core/erphub/capabilities.py", '    "connections",\n', '    "connections",\n    "notes",\n'),
    ("functions/connections/api.py", '    "connections",\n', '    "connections",\n    "notes",\n'),
    ("pyproject.toml", '  "connections",\n', '  "notes",\n  "connections",\n'),
)
"""What is edited besides: a line each."""


def content(root: Path) -> dict[str, bytes]:
    """Every file of a tree that is written by hand or made from what is."""
    files = (path for path in root.rglob("*") if path.is_file() and not {"__pycache__", ".build"} & set(path.parts))
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
@integration
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source tree, without what no entity needs."""
    root = tmp_path_factory.mktemp("tree")
    without = shutil.ignore_patterns("__pycache__", "e2e", "reliability", "standins", ".hypothesis")
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=without)
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    return root


def run(root: Path, *command: str) -> None:
    """A command of the project in the tree, with the tree's own code. What it said is the failure's text."""
    environment = {**os.environ, "PYTHONPATH": f"{root / 'layers/core'}:{root}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-6000:]}{done.stderr[-3000:]}"


def add_notes(root: Path) -> None:
    """The recipe."""
    shutil.copytree(TEMPLATE / "erphub_notes", root / "layers/core/erphub/notes")
    (root / "tests/notes").mkdir()
    shutil.copy(TEMPLATE / "notes_of_a_connection.py", root / "tests/notes/test_api.py")
    for name, before, after in LINES:
        text = (root / name).read_text()
        assert text.count(before) == 1, f"{name} has another shape"
        (root / name).write_text(text.replace(before, after))


def test_an_entity_is_one_folder_and_three_lines(tree: Path):
    before = content(tree)
    add_notes(tree)
    by_hand = content(tree)
    run(tree, "-m", "local.generated", "--write")
    run(tree, "-m", "local.package_drawing", "--write")
    after = content(tree)
    added = {name for name in by_hand if name not in before}
    assert {name for name in before if by_hand.get(name) != before[name]} == {name for name, _, _ in LINES}
    folders = {str(Path(name).parent) for name in added}
    assert folders == {"layers/core/erphub/notes", "tests/notes"}
    made = {name for name in after if after[name] != by_hand.get(name)}
    assert made == {
        "README.md",
        "api.json",
        "docs/errors.md",
        "docs/openapi.json",
        "layers/core/erphub/problems.json",
        "layers/core/erphub/routes.json",
        "tests/contract/permissions.txt",
    }
    assert b'"notes:manage"' in after["docs/openapi.json"]
    assert b'"note.created"' in after["docs/openapi.json"]
    assert b'"CreateNote"' in after["docs/openapi.json"]
    notes = [line for line in after["tests/contract/permissions.txt"].decode().splitlines() if "/notes" in line]
    assert [line.split(maxsplit=3)[3] for line in notes] == ["accountant, administrator"] * 3
    recipe = re.search(r"(\d+) files of its package, (\d+) of its tests, (\d+) lines elsewhere", _contributing())
    assert recipe, "CONTRIBUTING.md names the figures"
    package = [name for name in added if name.startswith("layers")]
    assert [int(one) for one in recipe.groups()] == [len(package), len(added) - len(package), len(LINES)]
    run(tree, "-m", "local.check_structure")
    run(tree, "-c", "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])")
    run(
        tree,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("tests/notes", "tests/deletions/test_dependents.py", "tests/contract/test_contracts.py"),
        "tests/contract/test_permissions.py",
    )


def _contributing() -> str:
    return (ROOT / "CONTRIBUTING.md").read_text()
