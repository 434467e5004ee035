"""Python modules as their syntax alone tells: what a rule of `local.check_structure` looks at."""

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

MIN_REASON_LETTERS = 20


@dataclass(frozen=True)
class Problem:
    """Something that breaks a rule."""

    module: str
    line: int
    rule: str
    detail: str

    @property
    def package(self) -> str:
        """The package below `erphub`, or `functions`."""
        parts = self.module.split(".")
        return parts[1] if parts[0] == "erphub" and len(parts) > 1 else parts[0]

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.rule}: {self.detail}"


@dataclass(frozen=True)
class Module:
    """A module of the tree, read."""

    name: str
    is_package: bool
    text: str
    lines: Sequence[str] = field(default_factory=list[str])

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """Everything in it."""
        return list(ast.walk(self.tree))

    @cached_property
    def imports(self) -> Sequence[tuple[str, int]]:
        """What it imports, with lines; names of `from x import y` as `x.y`, whatever they are."""
        found: list[tuple[str, int]] = []
        for node in self.nodes:
            if isinstance(node, ast.Import):
                found += [(alias.name, node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                found += [(f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
        return found

    def is_excused(self, line: int) -> bool:
        """Whether the comment above a line says why a rule is broken there."""
        above = line - 2
        while above >= 0 and self.lines[above].strip().startswith(("#", "@")):
            found = re.fullmatch(r"\s*# structure: (.*)", self.lines[above])
            if found and len(found.group(1)) >= MIN_REASON_LETTERS:
                return True
            above -= 1
        return False


GENERATED = "generated"
"""The folder of modules that a program writes: theirs is the shape of what they are made from."""
SHIPPED = (("layers/core", "erphub"), ("", "functions"))
"""What ships: folder, and the package or folder in it."""
TOOLS = (("", "local"), ("", "tests/support"))
"""What does not ship and is read as much."""
CLIENT = (("client/src", "erphub_client"),)
"""What customers install; its modules that are made from the API's description are not written by anybody."""


def read(root: Path, trees: Iterable[tuple[str, str]] = SHIPPED) -> list[Module]:
    """Every module of these trees."""
    found: list[Module] = []
    for base, name in trees:
        for path in sorted((root / base / name).rglob("*.py")):
            parts = path.relative_to(root / base).with_suffix("").parts
            if GENERATED in parts[:-1]:
                continue
            is_package = parts[-1] == "__init__"
            text = path.read_text("utf-8")
            found.append(Module(".".join(parts[:-1] if is_package else parts), is_package, text, text.splitlines()))
    return found


def name_of(node: ast.AST) -> str:
    """The last word of a name, whatever is subscripted or called; none for anything else."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript():
            return name_of(node.value)
        case ast.Call():
            return name_of(node.func)
        case _:
            return ""


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is a text alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def docstring_lines(module: Module) -> int:
    """How many lines its docstrings take, those below values among them."""
    bodies = (node.body for node in module.nodes if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)))
    texts = (one for body in bodies for one in body if is_docstring(one))
    return sum((one.end_lineno or one.lineno) - one.lineno + 1 for one in texts)


def is_dataclass(node: ast.ClassDef) -> bool:
    """Whether it is decorated as one."""
    return any(name_of(one) == "dataclass" for one in node.decorator_list)


def is_protocol(node: ast.ClassDef) -> bool:
    """Whether `Protocol` is among its bases."""
    return any(name_of(base) == "Protocol" for base in node.bases)


def is_property(node: ast.FunctionDef) -> bool:
    """Whether it is read like an attribute."""
    return any(name_of(one) in ("property", "cached_property") for one in node.decorator_list)


def field_annotations(node: ast.ClassDef) -> dict[str, ast.expr | None]:
    """What a data class is made of, with annotations."""
    declared = [one for one in node.body if isinstance(one, ast.AnnAssign)]
    given = {name_of(one.target): one for one in declared if name_of(one.annotation) != "ClassVar"}
    # What begins with an underscore and has a default is state, not something that is given.
    state = {name for name, one in given.items() if name.startswith("_") and one.value is not None}
    return {
        name: one.annotation
        for name, one in given.items()
        if name not in state and "init=False" not in ast.unparse(one)
    }


def init_arguments(node: ast.ClassDef) -> dict[str, ast.expr | None]:
    """What a class with a constructor of its own is made of, with annotations."""
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            given = [*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs]
            return {arg.arg: arg.annotation for arg in given[1:]}
    return {}


def only_holds_data(node: ast.ClassDef) -> bool:
    """A data class does nothing: it has properties, other ways to make one, and Python's own methods at most."""
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and not is_property(one):
            makes_one = any(name_of(decorator) == "classmethod" for decorator in one.decorator_list)
            is_pythons = re.fullmatch(r"__\w+__", one.name) and one.name != "__call__"
            if not makes_one and not is_pythons:
                return False
    return True


def type_checking_lines(module: Module) -> set[int]:
    """The lines that a type checker alone reads."""
    found: set[int] = set()
    for node in module.nodes:
        if isinstance(node, ast.If) and name_of(node.test) == "TYPE_CHECKING":
            found |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found
