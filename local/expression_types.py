"""What an expression of the source can be, and so which functions it calls."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from local.source_modules import name_of
from local.source_types import (
    MAPPINGS,
    ClassInfo,
    Function,
    Source,
    Type,
    Types,
    bounds,
    element,
    is_context_manager,
    reads_like_field,
    substituted,
)

_FUNCTION = "function "
_LISTS = frozenset({"list", "tuple", "set", "frozenset", "sorted", "iter", "reversed", "deque", "chain"})
_SAME = frozenset({"replace", "copy", "deepcopy", "partial", "model_copy", "model_construct", "cache", "lru_cache"})
_OF_CLASS = frozenset({"model_validate", "model_validate_json", "model_construct"})
_FIRST = frozenset({"next", "min", "max"})


def called_of(types: Types) -> set[str]:
    """The functions among the types, by full name."""
    return {one.name.removeprefix(_FUNCTION) for one in types if one.name.startswith(_FUNCTION)}


@dataclass
class Scope:
    """The names of a function, or of a module, and what they are."""

    source: Source
    module: str
    own: str | None = None
    local: dict[str, Types] = field(default_factory=dict[str, Types])
    _known: dict[ast.expr, Types] = field(default_factory=dict[ast.expr, Types])

    @classmethod
    def of_module(cls, source: Source, module: str) -> "Scope":
        """The names of a module alone."""
        return cls(source, module)

    @classmethod
    def of_function(cls, source: Source, function: Function) -> "Scope":
        """The names inside a function."""
        own = function.owner.name if function.owner else None
        scope = cls(source, function.module, own)
        for node in ast.walk(function.node):
            if isinstance(node, ast.FunctionDef):
                inner = Function(node.name, function.module, node)
                scope.local |= {
                    one.arg: scope._parameter(node, one)
                    for one in inner.parameters
                    if not (one.arg in ("self", "cls") and own)
                }
                if node is not function.node:
                    scope.local[node.name] = (Type("Callable", (source.types(scope.module, node.returns, own),)),)
        if own is not None:
            of_own = (Type(own, tuple((Type(name),) for name in source.classes[own].parameters)),)
            scope.local |= {"self": of_own, "cls": (Type("type", (of_own,)),)}
        for _ in range(2):
            for node in ast.walk(function.node):
                scope._bind(node)
            scope._known.clear()
        return scope

    def _parameter(self, node: ast.FunctionDef, one: ast.arg) -> Types:
        types = self.source.types(self.module, one.annotation, self.own)
        types = substituted(types, bounds(self.source, self.module, node))
        if one is node.args.vararg:
            return (Type("tuple", (types,)),)
        return (Type("dict", ((), types)),) if one is node.args.kwarg else types

    def _bind(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, self.types(value))
            case ast.AnnAssign(target=ast.Name() as target, annotation=annotation):
                self._assign(target, self.source.types(self.module, annotation, self.own))
            case ast.NamedExpr(target=target, value=value):
                self._assign(target, self.types(value))
            case ast.For(target=target, iter=gone_through) | ast.comprehension(target=target, iter=gone_through):
                self._assign(target, self._gone_through(gone_through))
            case ast.withitem(context_expr=entered, optional_vars=ast.expr() as target):
                self._assign(target, self._entered(entered))
            case ast.match_case(pattern=pattern):
                self._match(pattern)
            case ast.ExceptHandler(name=str(name), type=ast.expr() as caught):
                given = caught.elts if isinstance(caught, ast.Tuple) else [caught]
                types = [one for part in given for one in self.source.types(self.module, part, self.own)]
                self._assign(ast.Name(name), tuple(types))
            case _:
                pass

    def _match(self, pattern: ast.pattern) -> None:
        for one in ast.walk(pattern):
            if isinstance(one, ast.MatchAs) and one.name and isinstance(one.pattern, ast.MatchClass):
                self._assign(ast.Name(one.name), self.source.types(self.module, one.pattern.cls, self.own))

    def _assign(self, target: ast.expr, types: Types) -> None:
        if isinstance(target, ast.Name):
            self.local[target.id] = tuple(dict.fromkeys(self.local.get(target.id, ()) + types))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for at, one in enumerate(target.elts):
                self._assign(one, element(types, at))

    def _gone_through(self, node: ast.expr) -> Types:
        types = self.types(node)
        found = list(element(types))
        for one in types:
            found += element(tuple(self._result(one, "__iter__")))
        return tuple(found)

    def _entered(self, node: ast.expr) -> Types:
        found: list[Type] = []
        for one in self.types(node):
            found += element((one,)) if one.name in ("Generator", "Iterator") else self._result(one, "__enter__")
            found += one.arguments[0] if one.name == "AbstractContextManager" and one.arguments else ()
        return tuple(found)

    def full_name(self, node: ast.expr) -> str | None:
        """What a dotted name stands for, when it is one of the module's."""
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name) or root.id in self.local:
            return None
        return self.source.full_name(self.module, node)

    def types(self, node: ast.expr) -> Types:
        """What an expression can be."""
        if node not in self._known:
            self._known[node] = ()  # of one that asks for itself nothing is known
            self._known[node] = tuple(dict.fromkeys(self._types(node)))
        return self._known[node]

    def _types(self, node: ast.expr) -> Iterable[Type]:
        match node:
            case ast.Name() | ast.Attribute():
                return self._reference(node)
            case ast.Call():
                return self._call(node)
            case ast.Subscript(value=value):
                return self._item(value)
            case ast.IfExp(body=body, orelse=other):
                return self.types(body) + self.types(other)
            case ast.BoolOp(values=values):
                return [one for value in values for one in self.types(value)]
            case ast.NamedExpr(value=value) | ast.Starred(value=value) | ast.BinOp(left=value):
                return self.types(value)
            case ast.Lambda(body=body):
                return (Type("Callable", (self.types(body),)),)
            case _:
                return self._display(node)

    def _display(self, node: ast.expr) -> Iterable[Type]:
        match node:
            case ast.Tuple(elts=elements):
                return (Type("tuple", tuple(self.types(one) for one in elements)),)
            case ast.List(elts=elements) | ast.Set(elts=elements):
                return (Type("list", (self._all(elements),)),)
            case ast.ListComp(elt=one) | ast.SetComp(elt=one) | ast.GeneratorExp(elt=one):
                return (Type("list", (self.types(one),)),)
            case ast.Dict(keys=keys, values=values):
                return (Type("dict", (self._all(one for one in keys if one), self._all(values))),)
            case ast.DictComp(key=key, value=value):
                return (Type("dict", (self.types(key), self.types(value))),)
            case _:
                return ()

    def _all(self, nodes: Iterable[ast.expr]) -> Types:
        return tuple(dict.fromkeys(one for node in nodes for one in self.types(node)))

    def _reference(self, node: ast.Name | ast.Attribute) -> Iterable[Type]:
        if isinstance(node, ast.Name) and node.id in self.local:
            return self.local[node.id]
        full = self.full_name(node)
        if full is not None and (found := self._global(full)):
            return found
        return self._attribute(node) if isinstance(node, ast.Attribute) else ()

    def _global(self, full: str) -> Types:
        if full in self.source.classes:
            return (Type("type", ((Type(full, is_exact=True),),)),)
        if full in self.source.functions:
            return (Type(_FUNCTION + full),)
        if full in self.source.values:
            module, value, annotation = self.source.values[full]
            given = Scope.of_module(self.source, module)
            return self.source.types(module, annotation) if annotation is not None else given.types(value)
        return ()

    def _attribute(self, node: ast.Attribute) -> Iterable[Type]:
        for one in self.types(node.value):
            if one.name == "type":
                for made in one.arguments[0]:
                    method = self._member(made, node.attr)
                    yield from method or (made,)  # a member of an enumeration
            else:
                yield from self._member(one, node.attr)

    def _member(self, one: Type, attr: str) -> list[Type]:
        found: list[Type] = []
        for name in self.source.concrete(one):
            member = self.source.members(name).get(attr)
            if isinstance(member, Function):
                found += (
                    self._returned(one, member)
                    if reads_like_field(member)
                    else [Type(_FUNCTION + member.name, ((one,),))]
                )
            elif member is not None:
                owner = next(it for it in self.source.ancestry(name) if attr in it.fields)
                types = self.source.types(owner.module, member.annotation, name)
                found += substituted(types, self._parameters(name, one))
            else:
                found += self._set(name, attr)
        if not found and one.name in self.source.classes:
            member = self.source.members(one.name).get(attr)
            if isinstance(member, ast.AnnAssign):
                owner = next(it for it in self.source.ancestry(one.name) if attr in it.fields)
                found += self.source.types(owner.module, member.annotation, one.name)
            elif isinstance(member, Function):  # of a protocol that nothing satisfies
                found.append(Type(_FUNCTION + member.name, ((one,),)))
        return found

    def _set(self, name: str, attr: str) -> Types:
        for one in self.source.ancestry(name):
            if attr in one.set_in_init:
                annotation, value = one.set_in_init[attr]
                if annotation is not None:
                    return self.source.types(one.module, annotation, name)
                return self._constructor(one).types(value) if value is not None else ()
        return ()

    def _constructor(self, one: ClassInfo) -> "Scope":
        """The names inside a constructor: its parameters alone, which is what it sets mostly."""
        init = one.methods["__init__"]
        given = {arg.arg: self.source.types(one.module, arg.annotation, one.name) for arg in init.parameters[1:]}
        return Scope(self.source, one.module, one.name, given)

    def _parameters(self, name: str, given: Type) -> Mapping[str, Types]:
        return dict(zip(self.source.classes[name].parameters, given.arguments, strict=False))

    def properties(self, node: ast.Name | ast.Attribute) -> set[str]:
        """The properties that are read by reading it."""
        if not isinstance(node, ast.Attribute):
            return set()
        found: set[str] = set()
        for one in self.types(node.value):
            for name in self.source.concrete(one):
                member = self.source.members(name).get(node.attr)
                if isinstance(member, Function) and reads_like_field(member):
                    found.add(member.name)
        return found

    def _item(self, value: ast.expr) -> Iterable[Type]:
        for one in self.types(value):
            if one.name in MAPPINGS and len(one.arguments) > 1:
                yield from one.arguments[1]
            else:
                yield from element((one,))
                yield from self._result(one, "__getitem__")

    def _result(self, one: Type, method: str) -> list[Type]:
        found: list[Type] = []
        for name in self.source.concrete(one):
            member = self.source.members(name).get(method)
            if isinstance(member, Function):
                found += self._returned(one, member)
        if not found and isinstance(member := self.source.members(one.name).get(method), Function):
            found += self._returned(one, member)  # of a protocol that functions satisfy
        return found

    def _returned(self, of: Type, member: Function) -> Types:
        own = of.name if of.name in self.source.classes else None
        types = self.source.types(member.module, member.node.returns, own)
        return substituted(types, self._parameters(own, of)) if own else types

    def _call(self, node: ast.Call) -> Iterable[Type]:
        name = name_of(node.func)
        if name == "super" and self.own is not None:
            return [Type(base) for base in self.source.classes[self.own].bases]
        if name == "cast" and node.args:
            return self.source.types(self.module, node.args[0], self.own)
        if isinstance(node.func, ast.Name) and node.args:
            first = self.types(node.args[0])
            if name in _LISTS:
                return (Type("list", (self._gone_through(node.args[0]),)),)
            if name in _FIRST:
                return element(first) + (self.types(node.args[-1]) if len(node.args) > 1 else ())
            if name in _SAME:
                return first
            if name == "enumerate":
                return (Type("list", ((Type("tuple", ((), element(first))),),)),)
            if name == "zip":
                return (Type("list", ((Type("tuple", tuple(element(self.types(one)) for one in node.args)),),)),)
        return self._called(node, name)

    def _called(self, node: ast.Call, name: str) -> Iterable[Type]:
        found: list[Type] = []
        for one in self.types(node.func):
            if one.name == "type" or (one.name == "Callable" and one.arguments):
                found += one.arguments[0]
            elif one.name.startswith(_FUNCTION):
                found += self._result_of(one, node)
            else:
                found += self._result(one, "__call__")
        if isinstance(node.func, ast.Attribute):
            found += self._built_in(self.types(node.func.value), name)
        return found

    def _result_of(self, one: Type, node: ast.Call) -> Types:
        full = one.name.removeprefix(_FUNCTION)
        function = self.source.functions.get(full)
        known: dict[str, Types] = {}
        own = one.arguments[0][0] if one.arguments and one.arguments[0] else None
        if function is None:
            owner, _, method = full.rpartition(".")
            function = self.source.classes[owner].methods[method]
            if own is not None and own.name in self.source.classes:
                known |= self._parameters(own.name, own)
        given = function.parameters[1:] if function.owner is not None else function.parameters
        for parameter, argument in zip(given, node.args, strict=False):
            wanted = self.source.types(function.module, parameter.annotation)
            for want in wanted:
                types = self.types(argument)
                if want.name == "type" and want.arguments and want.arguments[0]:
                    made = [part for it in types if it.name == "type" for part in it.arguments[0]]
                    known[want.arguments[0][0].name] = tuple(made)
                elif want.name == "Callable" and want.arguments and want.arguments[0]:
                    known[want.arguments[0][0].name] = self._results(types)
                elif len(want.name) == 1:
                    known[want.name] = types
        types = self.source.types(function.module, function.node.returns, own.name if own else None)
        return substituted(types, known) if not is_context_manager(function.node) else types

    def _results(self, types: Types) -> Types:
        found: list[Type] = []
        for one in types:
            if one.name == "Callable" and one.arguments:
                found += one.arguments[0]
            elif one.name.startswith(_FUNCTION):
                found += self._result_of(one, ast.Call(ast.Name(""), [], []))
        return tuple(found)

    def _built_in(self, types: Types, name: str) -> Iterable[Type]:
        for one in types:
            if name in _SAME and one.name in self.source.classes:
                yield one
            if one.name == "type" and name in _OF_CLASS:
                yield from one.arguments[0]
            if one.name in MAPPINGS and len(one.arguments) > 1:
                keys, values = one.arguments[0], one.arguments[1]
                if name in ("get", "pop", "setdefault"):
                    yield from values
                elif name == "values":
                    yield Type("list", (values,))
                elif name == "items":
                    yield Type("list", ((Type("tuple", (keys, values)),),))
            elif name in ("pop", "popleft"):
                yield from element((one,))
