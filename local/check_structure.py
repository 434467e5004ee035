"""Holds the code that ships to its own shape: sizes, names, docstrings, and who may import whom inside a package.

`python -m local.check_structure` says what breaks a rule. What has to break one says why, in a comment
`# structure: reason` on the line above the class or function, or above the first statement of the module.
What a package has not got right yet stands in `pyproject.toml` (`[tool.erphub.structure] not-yet`).
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from local.emulator import ROOT

MAX_PORT_METHODS = 8
MAX_ARGUMENTS = 8
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60
MIN_REASON_LETTERS = 20

METAPHORS = frozenset(
    {
        *("house", "room", "floor", "door", "doors", "hall", "desk", "desks", "courier", "couriers"),
        *("papers", "paperwork", "told", "untold", "tell", "tells", "shift", "front", "fate", "bond", "bonds"),
        *("settle", "settles", "settled", "settling", "condemn", "condemned", "pardon", "halt", "halted"),
        *("lent", "lend", "logbook", "rhythm", "oddity", "oddities", "backlog", "breathe", "trouble", "troubles"),
        *("announcer", "announce", "announced"),
    }
)
"""Words of design/naming.md that stood for something else; the field's own words are beside them there."""

ORDER: tuple[frozenset[str], ...] = (
    frozenset({"capability"}),
    frozenset({"problems"}),
    frozenset({"models", "canonical"}),
    frozenset({"ports", "schemas"}),
    frozenset({"service", "dynamodb"}),
    frozenset({"api", "tasks", "dependents", "hooks"}),
    frozenset({"wiring"}),
)
"""The modules of a package from the lowest to the uppermost (`canonical`: models in the one form in which they are
compared); any other name stands with the service."""
SERVICE_LEVEL = 4
SUBPACKAGES: Mapping[str, tuple[frozenset[str], ...]] = {
    "imports": (frozenset({"problems"}), frozenset({"jobs"}), frozenset({"runs"})),
    "sync": (
        frozenset({"problems"}),
        frozenset({"canonical", "schemas"}),
        frozenset({"locations"}),
        frozenset({"settings"}),
        frozenset({"export_log"}),
        frozenset({"documents", "changes"}),
        frozenset({"uploads", "transfers"}),
    ),
}
"""The order of sub-packages where they know each other, and of modules that stand below them as the manifest does; the
package's other modules stand above."""
BY_NAME_ONLY = frozenset({"api", "wiring"})
"""Modules that nobody imports: the app and the services look for them by name."""

EXTERNAL: Mapping[str, tuple[str, ...]] = {
    "boto3": ("platform.aws",),
    "botocore": ("platform.aws", "*.dynamodb", "events.eventbridge", "tenancy.cognito"),
    "deltalake": ("lake.delta", "erp.transports"),
    "arro3": ("lake.delta", "erp.transports"),
    "aws_lambda_powertools": ("platform",),
    "pymssql": ("erp.transports",),
    "socket": ("platform.outbound", "erp.transports"),
    "ssl": ("platform.outbound", "erp.transports"),
    "httpx": ("platform.outbound", "erp.transports", "erp.systems"),
    "urllib3": ("platform.outbound", "erp.transports", "tenancy.first_administrator", "sign_in.cognito"),
    "jwt": ("sign_in.tokens", "sign_in.signing_keys"),
    "urllib.request": ("platform.outbound",),
    "http.client": ("platform.outbound",),
    # FreeTDS is told its certificates in a file that the environment names.
    "os": ("platform.settings", "erp.transports.sqlserver.drivers.freetds"),
    "local": (),
    "tests": (),
    "benchmarks": (),
}
"""Who may import what is not ours: packages and modules below `erphub`, `*.name` in any package."""


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


def read(root: Path) -> list[Module]:
    """Every module that ships: `erphub`, and the handlers."""
    found: list[Module] = []
    for base, name in ((root / "layers/core", "erphub"), (root, "functions")):
        for path in sorted((base / name).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            text = path.read_text("utf-8")
            found.append(Module(".".join(parts[:-1] if is_package else parts), is_package, text, text.splitlines()))
    return found


# --- sizes and shapes -------------------------------------------------------------------------------------------------


def lengths(module: Module) -> Iterator[Problem]:
    """Modules and functions that one cannot take in at once."""
    if len(module.lines) > MAX_MODULE_LINES:
        first = next((n for n in module.tree.body if not _is_docstring(n)), None)
        if first is None or not module.is_excused(first.lineno):
            yield Problem(module.name, 1, "module-length", f"{len(module.lines)} lines")
    for node in module.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES and not module.is_excused(node.lineno):
                yield Problem(module.name, node.lineno, "function-length", f"{node.name} has {length} lines")


def constructors(module: Module) -> Iterator[Problem]:
    """Constructors that take too much, or a callable that has no name."""
    for node in module.nodes:
        if not isinstance(node, ast.ClassDef) or module.is_excused(node.lineno):
            continue
        given = _fields(node) if _is_dataclass(node) else _init_arguments(node)
        if len(given) > MAX_ARGUMENTS and not (_is_dataclass(node) and _only_holds_data(node)):
            yield Problem(module.name, node.lineno, "arguments", f"{node.name} takes {len(given)}")
        for name, annotation in given.items():
            if annotation is not None and any(_name_of(one) == "Callable" for one in ast.walk(annotation)):
                detail = f"{node.name} takes {name} as a bare Callable; give it a Protocol"
                yield Problem(module.name, node.lineno, "callable", detail)


def ports(modules: Sequence[Module]) -> Iterator[Problem]:
    """Protocols of which nobody implements all: what they inherit counts."""
    known = {node.name: node for module in modules for node in module.nodes if isinstance(node, ast.ClassDef)}

    def methods(node: ast.ClassDef) -> set[str]:
        own = {one.name for one in node.body if isinstance(one, ast.FunctionDef) and not _is_property(one)}
        bases = [known[name] for base in node.bases if (name := _name_of(base)) in known and known[name] is not node]
        return own.union(*(methods(base) for base in bases if _is_protocol(base)))

    for module in modules:
        for node in module.nodes:
            if isinstance(node, ast.ClassDef) and _is_protocol(node) and not module.is_excused(node.lineno):
                count = len(methods(node))
                if count > MAX_PORT_METHODS:
                    yield Problem(module.name, node.lineno, "port", f"{node.name} has {count} methods")


def docstrings(module: Module) -> Iterator[Problem]:
    """Docstrings that send their reader elsewhere; packages that hold more than one."""
    for node in module.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            text = ast.get_docstring(node) or ""
            if re.match(r"See (the|its) port|See above|As the (port|protocol) says", text):
                yield Problem(module.name, node.lineno, "docstring", f"{node.name}: {text.partition('.')[0]}")
    if module.is_package and any(not _is_docstring(node) for node in module.tree.body):
        yield Problem(module.name, 1, "package", "a package's __init__ holds a docstring and nothing else")


def names(module: Module) -> Iterator[Problem]:
    """Names made of words that stand for something else."""
    for name, line in _defined(module):
        words = {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}
        if (found := words & METAPHORS) and not module.is_excused(line):
            yield Problem(module.name, line, "name", f"{name}: {', '.join(sorted(found))}")


def _defined(module: Module) -> Iterator[tuple[str, int]]:
    for part in module.name.split("."):
        yield part, 1
    for node in module.nodes:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr, node.lineno
            case _:
                pass


# --- imports ----------------------------------------------------------------------------------------------------------


def outside(module: Module) -> Iterator[Problem]:
    """What is not ours, imported by whoever has no business with it. Types alone are free."""
    free = _type_checking_lines(module)
    for name, line in module.imports:
        for wanted, allowed in EXTERNAL.items():
            if line in free and wanted not in ("local", "tests", "benchmarks"):
                continue
            if (name == wanted or name.startswith(f"{wanted}.")) and not _is_among(module.name, allowed):
                yield Problem(module.name, line, "outside", f"imports {wanted}")


def inside(modules: Sequence[Module]) -> Iterator[Problem]:
    """The order of modules in a package: manifests below all, stores and services apart, no circle."""
    known = {module.name for module in modules}
    arrows: dict[str, set[str]] = {}
    for module in modules:
        for name, line in module.imports:
            target = name if name in known else name.rpartition(".")[0]
            if target not in known or target == module.name:
                continue
            arrows.setdefault(module.name, set()).add(target)
            for why in _against_the_order(module.name, target):
                yield Problem(module.name, line, "order", f"imports {target}: {why}")
            if _is_below(module.name, target):
                yield Problem(module.name, line, "subpackages", f"imports {target}, which stands above or beside it")
    if found := circle(arrows):
        yield Problem(found[0], 1, "circle", " <- ".join(found))


def _against_the_order(name: str, target: str) -> Iterator[str]:
    module, other = name.rpartition(".")[2], target.rpartition(".")[2]
    if module == "capability" and name.count(".") == 2 and target != "erphub.platform.capability":
        yield "a manifest imports erphub.platform.capability only"
    if target.startswith("erphub.") and other in BY_NAME_ONLY and target.count(".") >= 2:
        yield "it is found by its name"
    if _capability(name) != _capability(target) or _capability(name) in ("platform", ""):
        return
    mine, its = _level(module), _level(other)
    if its > mine:
        yield f"{other} stands above {module}"
    if (module == "dynamodb" and other == "service") or (mine == SERVICE_LEVEL and other == "dynamodb" != module):
        yield "services and stores do not know each other"


def _is_below(name: str, target: str) -> bool:
    """Whether a module's sub-package stands below or beside that of what it imports."""
    order = SUBPACKAGES.get(_capability(name), ()) if _capability(name) == _capability(target) else ()
    order = (frozenset({"capability"}), *order) if order else ()
    place = {sub: number for number, subs in enumerate(order) for sub in subs}
    mine, its = (one.split(".")[2] for one in (name, target)) if order else ("", "")
    return mine != its and mine in place and place.get(its, len(order)) >= place[mine]


def _capability(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "erphub" and len(parts) > 2 else ""


def _level(module: str) -> int:
    return next((level for level, names in enumerate(ORDER) if module in names), SERVICE_LEVEL)


def circle(arrows: Mapping[str, set[str]]) -> Sequence[str]:
    """Modules that import each other in a circle, the first one again at the end; none when there is no circle."""
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return error.args[1]
    return ()


# --- syntax -----------------------------------------------------------------------------------------------------------


def _name_of(node: ast.AST) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript():
            return _name_of(node.value)
        case ast.Call():
            return _name_of(node.func)
        case _:
            return ""


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_dataclass(node: ast.ClassDef) -> bool:
    return any(_name_of(one) == "dataclass" for one in node.decorator_list)


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(_name_of(base) == "Protocol" for base in node.bases)


def _is_property(node: ast.FunctionDef) -> bool:
    return any(_name_of(one) in ("property", "cached_property") for one in node.decorator_list)


def _fields(node: ast.ClassDef) -> dict[str, ast.expr | None]:
    declared = [one for one in node.body if isinstance(one, ast.AnnAssign)]
    given = {_name_of(one.target): one for one in declared if _name_of(one.annotation) != "ClassVar"}
    # What begins with an underscore and has a default is state, not something that is given.
    state = {name for name, one in given.items() if name.startswith("_") and one.value is not None}
    return {
        name: one.annotation
        for name, one in given.items()
        if name not in state and "init=False" not in ast.unparse(one)
    }


def _init_arguments(node: ast.ClassDef) -> dict[str, ast.expr | None]:
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and one.name == "__init__":
            given = [*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs]
            return {arg.arg: arg.annotation for arg in given[1:]}
    return {}


def _only_holds_data(node: ast.ClassDef) -> bool:
    """A data class does nothing: it has properties, other ways to make one, and Python's own methods at most."""
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and not _is_property(one):
            makes_one = any(_name_of(decorator) == "classmethod" for decorator in one.decorator_list)
            is_pythons = re.fullmatch(r"__\w+__", one.name) and one.name != "__call__"
            if not makes_one and not is_pythons:
                return False
    return True


def _type_checking_lines(module: Module) -> set[int]:
    found: set[int] = set()
    for node in module.nodes:
        if isinstance(node, ast.If) and _name_of(node.test) == "TYPE_CHECKING":
            found |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return found


def _is_among(name: str, allowed: Iterable[str]) -> bool:
    below = name.removeprefix("erphub.")
    return any(
        below.endswith(one[1:]) if one.startswith("*.") else below == one or below.startswith(f"{one}.")
        for one in allowed
    )


RULES: tuple[Callable[[Module], Iterator[Problem]], ...] = (lengths, constructors, docstrings, names, outside)
"""What is looked for in each module by itself."""


def problems(modules: Sequence[Module]) -> list[Problem]:
    """Everything that breaks a rule."""
    alone = [problem for module in modules for rule in RULES for problem in rule(module)]
    return [*alone, *ports(modules), *inside(modules)]


def main(root: Path = ROOT) -> int:
    """Say what breaks a rule; returns 1 when something does that is not to be mended later, or is mended."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    later = set(settings.get("tool", {}).get("erphub", {}).get("structure", {}).get("not-yet", []))
    found = problems(read(root))
    now = [one for one in found if f"{one.package}: {one.rule}" not in later]
    for problem in now:
        print(problem, file=sys.stderr)
    mended = sorted(later - {f"{one.package}: {one.rule}" for one in found})
    for entry in mended:
        print(f"pyproject.toml: nothing breaks `{entry}` any more; take it off the list", file=sys.stderr)
    return 1 if now or mended else 0


if __name__ == "__main__":
    sys.exit(main())
