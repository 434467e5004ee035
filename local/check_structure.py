"""Holds the code that ships to its own shape: sizes, names, docstrings, and who may import whom inside a package;
the client that customers install to sizes, names and docstrings; the tools, and what tests have in common, to sizes and
names.

`python -m local.check_structure` says what breaks a rule. What has to break one says why, in a comment
`# structure: reason` on the line above the class or function, or above the first statement of the module.
What a package has not got right yet stands in `pyproject.toml` (`[tool.erphub.structure] not-yet`).
"""

import ast
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from local.emulator import ROOT
from local.source_modules import (
    CLIENT,
    TOOLS,
    Module,
    Problem,
    field_annotations,
    init_arguments,
    is_dataclass,
    is_docstring,
    is_property,
    is_protocol,
    name_of,
    only_holds_data,
    read,
    type_checking_lines,
)

MAX_PORT_METHODS = 8
MAX_ARGUMENTS = 8
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60

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
    "links": (
        frozenset({"problems"}),
        frozenset({"models"}),
        frozenset({"three_way"}),
        frozenset({"records"}),
        frozenset({"mappings"}),
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
    "rapidfuzz": ("links.matching",),
    "stdnum": ("links.matching",),
    "phonenumbers": ("links.matching",),
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


# --- sizes and shapes -------------------------------------------------------------------------------------------------


def lengths(module: Module) -> Iterator[Problem]:
    """Modules and functions that one cannot take in at once."""
    if len(module.lines) > MAX_MODULE_LINES:
        first = next((n for n in module.tree.body if not is_docstring(n)), None)
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
        given = field_annotations(node) if is_dataclass(node) else init_arguments(node)
        if len(given) > MAX_ARGUMENTS and not (is_dataclass(node) and only_holds_data(node)):
            yield Problem(module.name, node.lineno, "arguments", f"{node.name} takes {len(given)}")
        for name, annotation in given.items():
            if annotation is not None and any(name_of(one) == "Callable" for one in ast.walk(annotation)):
                detail = f"{node.name} takes {name} as a bare Callable; give it a Protocol"
                yield Problem(module.name, node.lineno, "callable", detail)


def ports(modules: Sequence[Module]) -> Iterator[Problem]:
    """Protocols of which nobody implements all: what they inherit counts."""
    known = {node.name: node for module in modules for node in module.nodes if isinstance(node, ast.ClassDef)}

    def methods(node: ast.ClassDef) -> set[str]:
        own = {one.name for one in node.body if isinstance(one, ast.FunctionDef) and not is_property(one)}
        bases = [known[name] for base in node.bases if (name := name_of(base)) in known and known[name] is not node]
        return own.union(*(methods(base) for base in bases if is_protocol(base)))

    for module in modules:
        for node in module.nodes:
            if isinstance(node, ast.ClassDef) and is_protocol(node) and not module.is_excused(node.lineno):
                count = len(methods(node))
                if count > MAX_PORT_METHODS:
                    yield Problem(module.name, node.lineno, "port", f"{node.name} has {count} methods")


def docstrings(module: Module) -> Iterator[Problem]:
    """Docstrings that send their reader elsewhere."""
    for node in module.nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            text = ast.get_docstring(node) or ""
            if re.match(r"See (the|its) port|See above|As the (port|protocol) says", text):
                yield Problem(module.name, node.lineno, "docstring", f"{node.name}: {text.partition('.')[0]}")


def packages(module: Module) -> Iterator[Problem]:
    """Packages that hold more than a docstring."""
    if module.is_package and any(not is_docstring(node) for node in module.tree.body):
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
    free = type_checking_lines(module)
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


def _is_among(name: str, allowed: Iterable[str]) -> bool:
    below = name.removeprefix("erphub.")
    return any(
        below.endswith(one[1:]) if one.startswith("*.") else below == one or below.startswith(f"{one}.")
        for one in allowed
    )


RULES: tuple[Callable[[Module], Iterator[Problem]], ...] = (lengths, constructors, docstrings, packages, names, outside)
"""What is looked for in each module by itself."""
CLIENT_RULES = (lengths, constructors, docstrings, names)
"""What is looked for in the client. A library's package shows what it offers, so its `__init__` holds more."""
TOOL_RULES = (lengths, names)
"""What is looked for in the modules that do not ship."""


def problems(modules: Sequence[Module], client: Sequence[Module] = (), tools: Sequence[Module] = ()) -> list[Problem]:
    """Everything that breaks a rule: in what ships, in the client, and in the tools and what tests have in common."""
    alone = [problem for module in modules for rule in RULES for problem in rule(module)]
    of_client = [problem for module in client for rule in CLIENT_RULES for problem in rule(module)]
    of_tools = [problem for module in tools for rule in TOOL_RULES for problem in rule(module)]
    return [*alone, *ports(modules), *inside(modules), *of_client, *ports(client), *of_tools]


def main(root: Path = ROOT) -> int:
    """Say what breaks a rule; returns 1 when something does that is not to be mended later, or is mended."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    later = set(settings.get("tool", {}).get("erphub", {}).get("structure", {}).get("not-yet", []))
    found = problems(read(root), read(root, CLIENT), read(root, TOOLS))
    now = [one for one in found if f"{one.package}: {one.rule}" not in later]
    for problem in now:
        print(problem, file=sys.stderr)
    mended = sorted(later - {f"{one.package}: {one.rule}" for one in found})
    for entry in mended:
        print(f"pyproject.toml: nothing breaks `{entry}` any more; take it off the list", file=sys.stderr)
    return 1 if now or mended else 0


if __name__ == "__main__":
    sys.exit(main())
