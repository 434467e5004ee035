"""A line of the log is one line of JSON that says what was meant, whatever somebody typed."""

import ast
import json
import unicodedata
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest

import erphub
from erphub.platform.errors import ErpRefused
from erphub.platform.logging import logger
from erphub.platform.tasks import TaskFailed, Tasks

HIDDEN = {"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"}
ODD = (
    'Blåbær\r\n{"level":"ERROR"}</script>\x1b[2J'
    "\x85\u2028\u2029\u202e\u2066\u200b\u00ad\x7f\x9b\ue000\U000e0041\ufe0f\u0378"
)
PACKAGE = Path(erphub.__file__).parent
FUNCTIONS = PACKAGE.parents[2] / "functions"
MODULES = sorted([*PACKAGE.rglob("*.py"), *FUNCTIONS.rglob("*.py")])


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    written = StringIO()
    monkeypatch.setattr(logger().registered_handler, "stream", written)
    return written


def _require_one_line(written: str) -> dict[str, object]:
    assert written.endswith("\n")
    line = written[:-1]
    assert [ascii(char) for char in line if unicodedata.category(char) in HIDDEN or char == "\ufe0f"] == []
    assert "Blåbær" in line, "letters stay as they are"
    said: dict[str, object] = json.loads(line)
    return said


def test_a_text_in_a_line_is_escaped_and_comes_back_the_same(log: StringIO) -> None:
    logger().info("a company", extra={"name_of_it": ODD, "deep": {"list": [ODD]}, ODD: 1})
    said = _require_one_line(log.getvalue())
    assert (said["name_of_it"], said["deep"], said[ODD]) == (ODD, {"list": [ODD]}, 1)


@pytest.mark.parametrize(
    "error", [ErpRefused(ODD), ValueError(ODD), UnicodeError(ODD)], ids=lambda error: type(error).__name__
)
def test_an_error_of_any_kind_is_one_line(error: Exception, log: StringIO) -> None:
    def fails(_: object) -> dict[str, object]:
        raise error

    with pytest.raises(TaskFailed) as failed:
        Tasks({"it": fails})({"task": "it", "client_id": ODD}, SimpleNamespace(aws_request_id="1"))
    assert _require_one_line(log.getvalue())["client_id"] == ODD
    assert not any(unicodedata.category(char) in HIDDEN for char in str(failed.value)), "the task's own error too"


TREES = {module: ast.parse(module.read_text("utf-8")) for module in MODULES}


def _is_line(node: ast.AST) -> bool:
    """Whether it writes a line of the log: `logging.logger().info(…)`, or of `log`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Attribute(attr="logger") | ast.Name(id="logger")))):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=attr)):
            return attr in ("debug", "info", "warning", "error", "exception")
        case _:
            return False


def _is_other_line(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id="print")):
            return True
        case ast.Attribute(value=ast.Name(id="sys"), attr="stdout" | "stderr"):
            return True
        case ast.Attribute(value=ast.Name(id="logging"), attr="getLogger"):
            return True
        case ast.Attribute(value=ast.Name(id="warnings"), attr="warn"):
            return True
        case _:
            return False


def _find(judge: Callable[[ast.AST], bool]) -> list[tuple[str, ast.AST]]:
    return [
        (f"{module.name}:{getattr(node, 'lineno', 0)}", node)
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if judge(node)
    ]


def test_what_a_line_is_about_stands_beside_its_words() -> None:
    lines = _find(_is_line)
    assert len(lines) > 20
    worded = [at for at, call in lines if isinstance(call, ast.Call) and not isinstance(call.args[0], ast.Constant)]
    assert worded == [], "say it in words that are always the same, and what was typed in `extra`"


def test_nobody_writes_lines_but_through_the_log() -> None:
    assert _is_other_line(ast.parse("print(1)", mode="eval").body)
    assert [at for at, _ in _find(_is_other_line)] == []
