"""Doors are thin: they meet the house in the hall, and know neither AWS nor an ERP system nor each other."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOORS = sorted((ROOT / "functions").glob("*/*.py"))
NOT_FOR_DOORS = ("erphub.aws", "erphub.erp.catalogue", "boto3", "botocore", "functions", "os")


def imports(source: str) -> set[str]:
    """Every module that a door imports, at its top or inside a function."""
    found = set[str]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{one.name}" for one in node.names}
    return found


def strangers(source: str, neighbours: set[str]) -> list[str]:
    """What a door imports and should not."""
    forbidden = (*NOT_FOR_DOORS, *neighbours)
    return sorted(
        name for name in imports(source) if any(name == one or name.startswith(f"{one}.") for one in forbidden)
    )


@pytest.mark.parametrize("door", DOORS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_door_knows_neither_aws_nor_an_erp_nor_another_door(door: Path):
    neighbours = {path.stem for path in door.parent.glob("*.py")} - {door.stem}
    assert strangers(door.read_text(), neighbours) == []


def test_a_door_that_reaches_for_aws_would_be_noticed():
    assert strangers("from erphub import aws", set()) == ["erphub.aws"]
    assert strangers("def handler(e, c):\n    import botocore.session", set()) == ["botocore.session"]
    assert strangers("import api", {"api"}) == ["api"]
    assert strangers("from erphub import web, wiring", set()) == []
