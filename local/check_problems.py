"""Holds the catalogue of problems and the code that raises them to each other.

`python -m local.check_problems` says what breaks a rule: an error raised past the catalogue, a sentence without its
values, a code with two statuses, or one that is never raised.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence

from erphub.platform.problem_documents import status_of
from erphub.platform.problem_types import ProblemType
from local.check_structure import Module, Problem, read
from local.emulator import ROOT
from local.problem_catalogue import Declared, declared

MAKERS = ("erphub.platform.errors", "erphub.platform.problem_types", "erphub.platform.field_errors")
"""Where errors are made of what was declared, and read from what a model's validation found."""
SEVERAL_STATUSES: Mapping[str, str] = {
    "erp_error": "a write that the ERP stumbled over may have been done (502), a read has not (503)",
    "erp_answer_broken": "an answer that lacks what was done is the ERP's last word (502), one cut off is not (503)",
    "connection_refused": "a server that says why refuses (502), one that only hangs up may be starting (503)",
    "bound_otherwise": "asked for by the till (409), or met while sending and kept in the export log (502)",
    "sync_not_set_up": "there is none to read (404), one is needed to hand something in (409)",
    "internal_error": "answered (500), or kept of a document that may have been sent (502)",
    "file_missing": "there is none to read (404), one is needed to go on (409)",
    "malformed_json": "a body (400), or a line of an upload, which is refused alone (422)",
    "limit_reached": "a rate passes (429), a stock does not (409)",
    "reauth_required": "asked for by hand (409), or met by work in the background and kept with it (502)",
    "connection_paused": "asked for by hand (409), or met by work in the background and kept with it (502)",
    "connection_deleting": "asked for by hand (409), or met by work in the background and kept with it (502)",
}
"""Codes whose status depends on whether the same may be tried again, and why."""
_ALWAYS = frozenset({"errors"})
_MAKES = frozenset({"in_model", "alone", "render", "record"})
_CODE_AT = {"_log": 2, "write": 2, "fail": 1, "notify": 2, "Warned": 0, "Anomaly": 0}
"""Which argument of what keeps a code is the code."""


def problems(
    modules: Sequence[Module], catalogue: Mapping[str, Declared], others: Sequence[Module] = ()
) -> list[Problem]:
    """Everything that breaks a rule; `others` are modules that say what is declared without being held to more."""
    errors = _error_classes(modules)
    found, used = list(_statuses(catalogue)), set[str]()
    for module in modules:
        names = _names(module, catalogue)
        used |= {name for node in module.nodes if (name := _declared_as(node, names)) is not None}
        if module.name not in MAKERS and not module.name.endswith(".problems"):
            found += _undeclared(module, errors)
            found += _calls(module, names, catalogue)
    for module in others:
        names = _names(module, catalogue)
        used |= {name for node in module.nodes if (name := _declared_as(node, names)) is not None}
    for name in sorted(set(catalogue) - used):
        found.append(Problem(name.rpartition(".")[0], 1, "never-raised", name.rpartition(".")[2]))
    return found


def _statuses(catalogue: Mapping[str, Declared]) -> Iterator[Problem]:
    """Codes that would be answered with more than one status. As a field's, a code may stand in a 422 beside it."""
    seen: dict[str, int] = {}
    for name, one in catalogue.items():
        if isinstance(one, ProblemType) and one.code not in SEVERAL_STATUSES:
            status = status_of(one.kind)
            if seen.setdefault(one.code, status) != status:
                detail = f"{one.code} has the statuses {seen[one.code]} and {status}"
                yield Problem(name.rpartition(".")[0], 1, "status", detail)
        if not re.fullmatch(r"(?s)\{\w+\}|.*[.?!}]", one.sentence) or not re.fullmatch(r"|.*[.]", one.advice):
            yield Problem(name.rpartition(".")[0], 1, "sentence", f"{one.code} is told in no sentence: {one.text}")


def _error_classes(modules: Sequence[Module]) -> frozenset[str]:
    """Everything that is a HubError, and what is said of fields."""
    bases = {
        node.name: {_last(base) for base in node.bases}
        for module in modules
        for node in module.nodes
        if isinstance(node, ast.ClassDef)
    }
    known = {"HubError"}
    while more := {name for name, its in bases.items() if its & known} - known:
        known |= more
    return frozenset(known | {"FieldError", "PydanticCustomError"})


def _names(module: Module, catalogue: Mapping[str, Declared]) -> Mapping[str, str]:
    """What is declared, by how this module calls it: `problems.NAME`, or `NAME`."""
    found: dict[str, str] = {}
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole, name = f"{node.module}.{alias.name}", alias.asname or alias.name
                if alias.name == "problems":
                    prefix = f"{whole}."
                    found |= {f"{name}.{one.removeprefix(prefix)}": one for one in catalogue if one.startswith(prefix)}
                elif whole in catalogue:
                    found[name] = whole
    own = f"{module.name}."
    return found | {one.removeprefix(own): one for one in catalogue if one.startswith(own)}


def _declared_as(node: ast.AST, names: Mapping[str, str]) -> str | None:
    """What a name stands for, where it is used."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return names.get(f"{node.value.id}.{node.attr}")
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return names.get(node.id)
    return None


def _undeclared(module: Module, errors: frozenset[str]) -> Iterator[Problem]:
    """Errors, and codes that are kept, which are not made of a declaration."""
    for node in module.nodes:
        if not isinstance(node, ast.Call):
            continue
        called = _last(node.func)
        if isinstance(node.func, ast.Name) and called in errors and (node.args or node.keywords):
            yield Problem(module.name, node.lineno, "undeclared", f"{called} is made past the catalogue")
        given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        given += node.args[_CODE_AT[called] :][:1] if called in _CODE_AT else []
        given += node.args[:1] if called == "add" and len(node.args) > 1 else []
        for one in given:
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and re.fullmatch(r"[a-z_]+", one.value):
                yield Problem(module.name, node.lineno, "undeclared", f"{one.value} is kept past the catalogue")


def _calls(module: Module, names: Mapping[str, str], catalogue: Mapping[str, Declared]) -> Iterator[Problem]:
    """Sentences that lack a value, or are given one that is in none."""
    for node in module.nodes:
        if not isinstance(node, ast.Call) or any(keyword.arg is None for keyword in node.keywords):
            continue
        made = node.func
        if isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr == "ending":
            made = made.func.value
        if isinstance(made, ast.Attribute) and made.attr in _MAKES:
            made = made.value
        if (name := _declared_as(made, names)) is None:
            continue
        one, given = catalogue[name], {str(keyword.arg) for keyword in node.keywords}
        members = frozenset(one.members) if isinstance(one, ProblemType) else frozenset[str]()
        if missing := one.values - given:
            yield Problem(module.name, node.lineno, "values", f"{name} is told without {', '.join(sorted(missing))}")
        if more := given - one.values - members - _ALWAYS:
            yield Problem(module.name, node.lineno, "values", f"{name} does not say {', '.join(sorted(more))}")


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def gateway() -> list[Module]:
    """The module that says what API Gateway answers by itself."""
    return [module for module in read(ROOT, [("", "local")]) if module.name == "local.api_definition"]


def main() -> int:
    """Say what breaks a rule; returns 1 when something does."""
    found = problems(read(ROOT), declared(), gateway())
    for one in found:
        print(one, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
