"""Which problems a function can end in, found in the source: what it raises, and what everything it calls raises.

Calls are followed by what annotations say (`local.source_types`), through protocols to whatever satisfies them; what an
`except` takes is taken out again. A problem that is only kept with something counts as raised: the source alone does
not tell. `require_told` of the tests holds every answer they get against what is found here.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module

from erphub.platform.errors import FieldError, HubError, Invalid
from erphub.platform.problem_types import FieldProblemType, ProblemType
from local.expression_types import Scope, called_of
from local.problem_catalogue import Declared
from local.source_modules import name_of
from local.source_types import Function, Source, Type

_WORDS_ONLY = frozenset({"code", "sentence", "advice", "title", "text", "values", "kind", "members"})
_INVALID = frozenset({"of", "field"})
_RUN_BY_NAME = ("__init__", "__post_init__", "__call__")


@dataclass(frozen=True)
class Raised:
    """A code, and as which kind of error it is raised; `FieldError` when it is said of a field."""

    code: str
    kind: type[HubError | FieldError]


@dataclass
class Effects:
    """What a piece of code does: what it raises itself, whom it calls, and what of it is caught."""

    raised: set[Raised] = field(default_factory=set[Raised])
    calls: set[str] = field(default_factory=set[str])
    guarded: list["Guarded"] = field(default_factory=list["Guarded"])


@dataclass
class Guarded:
    """The body of a `try`, and the kinds of errors that end in it."""

    body: Effects
    caught: tuple[type[HubError], ...]
    said_of_fields: tuple[type[HubError], ...] = ()
    """Kinds of errors that become what is wrong with a field of the request."""


class RaisedProblems:
    """Answers for any function of the source."""

    def __init__(self, source: Source, catalogue: Mapping[str, Declared]) -> None:
        """`catalogue` is what is declared, by full name."""
        self.source, self.catalogue = source, catalogue
        self._effects: dict[str, Effects] = {}
        self._raised: dict[str, frozenset[Raised]] = {}

    def of(self, *names: str) -> frozenset[Raised]:
        """What these functions, by their full names, can end in."""
        unknown = [name for name in self._reachable(names) if name not in self._raised]
        self._raised |= dict.fromkeys(unknown, frozenset[Raised]())
        changed = True
        while changed:  # functions that call each other know of each other after another round
            changed = False
            for name in unknown:
                found = frozenset(self._evaluate(self._effects[name]))
                if found != self._raised[name]:
                    self._raised[name], changed = found, True
        return frozenset[Raised]().union(*(self._raised[name] for name in names))

    def _reachable(self, names: Iterable[str]) -> list[str]:
        waiting, seen = list(names), dict[str, None]()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen[name] = None
                if name not in self._effects:
                    self._effects[name] = self._read(name)
                waiting += _all_calls(self._effects[name])
        return list(reversed(seen))

    def _evaluate(self, effects: Effects) -> Iterator[Raised]:
        yield from effects.raised
        for name in effects.calls:
            yield from self._raised.get(name, ())
        for one in effects.guarded:
            for found in self._evaluate(one.body):
                if issubclass(found.kind, one.said_of_fields):
                    yield Raised(found.code, FieldError)
                if not issubclass(found.kind, one.caught):
                    yield found

    def _read(self, name: str) -> Effects:
        """The effects of a function, or of a value of a module when it is used."""
        if name in self.source.values:
            module, value, _ = self.source.values[name]
            scope = Scope.of_module(self.source, module)
            return _Reader(self, scope, value).expression(value)
        function = self._function(name)
        if function is None:
            return Effects()
        scope = Scope.of_function(self.source, function)
        reader = _Reader(self, scope, function.node)
        effects = reader.statements(function.node.body)
        for one in function.node.decorator_list:
            _merge(effects, reader.expression(one))
        return effects

    def _function(self, name: str) -> Function | None:
        if name in self.source.functions:
            return self.source.functions[name]
        owner, _, method = name.rpartition(".")
        one = self.source.classes.get(owner)
        return one.methods.get(method) if one is not None else None


def _all_calls(effects: Effects) -> Iterator[str]:
    yield from effects.calls
    for one in effects.guarded:
        yield from _all_calls(one.body)


class _Reader:
    """Reads one function."""

    def __init__(self, raised: RaisedProblems, scope: Scope, whole: ast.AST) -> None:
        self.source, self.catalogue, self.scope = raised.source, raised.catalogue, scope
        self.parents = {child: node for node in ast.walk(whole) for child in ast.iter_child_nodes(node)}

    def statements(self, body: Iterable[ast.stmt]) -> Effects:
        """The effects of statements, one after the other."""
        effects = Effects()
        for one in body:
            self._statement(one, effects)
        return effects

    def expression(self, node: ast.expr) -> Effects:
        """The effects of an expression."""
        effects = Effects()
        self._expression(node, effects)
        return effects

    def _statement(self, node: ast.stmt, effects: Effects) -> None:
        match node:
            case ast.Try():
                ended = [one for one in node.handlers if not _raises_on(one)]
                fields = [one for one in node.handlers if _says_of_fields(one)]
                effects.guarded.append(Guarded(self.statements(node.body), self._caught(ended), self._caught(fields)))
                for handler in node.handlers:
                    _merge(effects, self.statements(handler.body))
                _merge(effects, self.statements([*node.orelse, *node.finalbody]))
            case ast.With():
                kinds = tuple(kind for item in node.items for kind in self._suppressed(item.context_expr))
                for item in node.items:
                    self._expression(item.context_expr, effects)
                    self._entered(item.context_expr, effects)
                effects.guarded.append(Guarded(self.statements(node.body), kinds))
            case _:
                for child in ast.iter_child_nodes(node):
                    self._child(child, effects)

    def _child(self, child: ast.AST, effects: Effects) -> None:
        if isinstance(child, ast.stmt):
            self._statement(child, effects)
        elif isinstance(child, ast.expr):
            self._expression(child, effects)
        elif not isinstance(child, ast.arguments):
            for one in ast.iter_child_nodes(child):
                self._child(one, effects)

    def _expression(self, node: ast.expr, effects: Effects) -> None:
        for one in ast.walk(node):
            if isinstance(one, (ast.Name, ast.Attribute)) and isinstance(one.ctx, ast.Load):
                self._reference(one, effects)
            elif isinstance(one, ast.Call):
                self._call(one, effects)
            elif isinstance(one, ast.Subscript):
                self._operated(one.value, "__getitem__", effects)
            elif isinstance(one, ast.comprehension):
                self._operated(one.iter, "__iter__", effects)

    def _reference(self, node: ast.Name | ast.Attribute, effects: Effects) -> None:
        full = self.scope.full_name(node) or ""
        if full in self.catalogue:
            effects.raised |= set(self._problem(node, self.catalogue[full]))
        elif full in self.source.values:
            effects.calls.add(full)
        effects.calls |= called_of(self.scope.types(node))
        effects.calls |= self.scope.properties(node)

    def _problem(self, node: ast.expr, one: Declared) -> Iterator[Raised]:
        above = self.parents.get(node)
        used = above.attr if isinstance(above, ast.Attribute) else ""
        if used in _WORDS_ONLY:
            return
        if isinstance(one, ProblemType):
            kinds = list(self._ending(above)) if used == "ending" and above is not None else []
            yield from (Raised(one.code, kind) for kind in kinds or [one.kind])
        elif isinstance(one, FieldProblemType):
            yield Raised(one.code, Invalid if used == "alone" else FieldError)

    def _ending(self, above: ast.AST) -> Iterator[type[HubError]]:
        """As which kind a problem ends by `PROBLEM.ending(Kind)`."""
        call = self.parents.get(above)
        if isinstance(call, ast.Call):
            yield from self._kinds(call.args[0])

    def _call(self, node: ast.Call, effects: Effects) -> None:
        of = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr in _INVALID else None
        if of is not None and name_of(of) == "Invalid":
            effects.raised.add(Raised(Invalid.code, Invalid))
        for one in self.scope.types(node.func):
            if one.name == "type":
                made = [part.name for part in one.arguments[0]]
                effects.calls |= set(self._made(made))
            else:
                effects.calls |= self._method(one, "__call__")

    def _made(self, classes: Iterable[str]) -> Iterator[str]:
        """What runs when an instance is made."""
        for name in classes:
            for one in self.source.ancestry(name):
                for key, method in one.methods.items():
                    checks = any("validator" in name_of(decorator) for decorator in method.node.decorator_list)
                    if checks or key in _RUN_BY_NAME[:2]:
                        yield method.name

    def _method(self, of: Type, method: str) -> set[str]:
        found: set[str] = set()
        for one in self.source.concrete(of):
            member = self.source.members(one).get(method)
            if isinstance(member, Function):
                found.add(member.name)
        return found

    def _operated(self, node: ast.expr, method: str, effects: Effects) -> None:
        for one in self.scope.types(node):
            effects.calls |= self._method(one, method)

    def _entered(self, node: ast.expr, effects: Effects) -> None:
        for method in ("__enter__", "__exit__"):
            self._operated(node, method, effects)

    def _caught(self, handlers: Iterable[ast.ExceptHandler]) -> tuple[type[HubError], ...]:
        given = [
            part for one in handlers for part in (one.type.elts if isinstance(one.type, ast.Tuple) else [one.type])
        ]
        return tuple(kind for one in given for kind in self._kinds(one))

    def _suppressed(self, node: ast.expr) -> Iterator[type[HubError]]:
        if isinstance(node, ast.Call) and name_of(node.func) == "suppress":
            for one in node.args:
                yield from self._kinds(one)

    def _kinds(self, node: ast.expr | None) -> Iterator[type[HubError]]:
        if node is None or name_of(node) in ("Exception", "BaseException"):
            yield HubError
            return
        full = self.scope.full_name(node) or ""
        if full in self.source.values:
            value = self.source.values[full][1]
            scope = Scope.of_module(self.source, self.source.values[full][0])
            names = [scope.full_name(one) or "" for one in (value.elts if isinstance(value, ast.Tuple) else [value])]
        else:
            names = [full]
        for name in names:
            module, _, last = name.rpartition(".")
            found = getattr(import_module(module), last, None) if name in self.source.classes else None
            if isinstance(found, type) and issubclass(found, HubError):
                yield found


def _raises_on(handler: ast.ExceptHandler) -> bool:
    """Whether what it caught goes on its way."""
    for node in ast.walk(handler):
        if isinstance(node, ast.Raise) and (node.exc is None or name_of(node.exc) == handler.name):
            return True
    return False


def _says_of_fields(handler: ast.ExceptHandler) -> bool:
    """Whether what it caught is told as what is wrong with fields: `error.at("/name")`, `error.errors`."""
    return any(
        isinstance(node, ast.Attribute) and node.attr in ("at", "errors") and name_of(node.value) == handler.name
        for node in ast.walk(handler)
    )


def _merge(effects: Effects, more: Effects) -> None:
    effects.raised |= more.raised
    effects.calls |= more.calls
    effects.guarded += more.guarded
