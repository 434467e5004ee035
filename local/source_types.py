"""What the annotations of the source say things are: which class a name stands for, what a call gives.

The code is typed strictly, so annotations alone tell which function is called where. Nothing of it is imported.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property

from local.source_modules import Module, is_property, is_protocol, name_of

ELEMENTS = frozenset(
    {
        *("list", "tuple", "set", "frozenset", "deque", "Sequence", "Iterable", "Iterator", "Collection", "Generator"),
        *("Set", "AbstractSet", "MutableSequence", "AbstractContextManager", "Counter", "KeysView", "ValuesView"),
    }
)
"""Generic types whose first parameter is what is in them."""
MAPPINGS = frozenset({"dict", "Mapping", "MutableMapping", "defaultdict", "OrderedDict"})


@dataclass(frozen=True)
class Type:
    """A class, or what the source's own classes and functions are as values: `type`, `function`, `module`."""

    name: str
    arguments: tuple["Types", ...] = ()
    is_exact: bool = False
    """Whether it is of this very class, and of none that comes of it."""


type Types = tuple[Type, ...]
"""What something may be: any of these."""


@dataclass(frozen=True)
class Function:
    """A function or method."""

    name: str
    module: str
    node: ast.FunctionDef
    owner: "ClassInfo | None" = None

    @property
    def parameters(self) -> Sequence[ast.arg]:
        """All of its parameters in order, `self` among them."""
        given = self.node.args
        rest = [one for one in (given.vararg, given.kwarg) if one is not None]
        return [*given.posonlyargs, *given.args, *given.kwonlyargs, *rest]


@dataclass
class ClassInfo:
    """A class: its methods, and what its fields are annotated with."""

    name: str
    module: str
    node: ast.ClassDef
    bases: list[str] = field(default_factory=list[str])

    @cached_property
    def methods(self) -> Mapping[str, Function]:
        """Methods by name."""
        return {
            one.name: Function(f"{self.name}.{one.name}", self.module, one, self)
            for one in self.node.body
            if isinstance(one, ast.FunctionDef)
        }

    @cached_property
    def fields(self) -> Mapping[str, ast.AnnAssign]:
        """Annotated names of its body."""
        found = (one for one in self.node.body if isinstance(one, ast.AnnAssign))
        return {one.target.id: one for one in found if isinstance(one.target, ast.Name)}

    @cached_property
    def set_in_init(self) -> Mapping[str, tuple[ast.expr | None, ast.expr | None]]:
        """What its constructor sets on the instance: the annotation and the value of each."""
        init = self.methods.get("__init__")
        found: dict[str, tuple[ast.expr | None, ast.expr | None]] = {}
        for node in ast.walk(init.node) if init else ():
            match node:
                case ast.AnnAssign(target=ast.Attribute(value=ast.Name(id="self"), attr=attr)):
                    found[attr] = (node.annotation, node.value)
                case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="self"), attr=attr)]):
                    found[attr] = (None, node.value)
                case _:
                    pass
        return found

    @property
    def parameters(self) -> Sequence[str]:
        """Its type parameters."""
        return [one.name for one in self.node.type_params if isinstance(one, ast.TypeVar)]


@dataclass
class Source:
    """All modules, and what their names stand for."""

    modules: Sequence[Module]
    classes: dict[str, ClassInfo] = field(default_factory=dict[str, ClassInfo])
    functions: dict[str, Function] = field(default_factory=dict[str, Function])
    values: dict[str, tuple[str, ast.expr, ast.expr | None]] = field(default_factory=dict)  # pyright: ignore[reportUnknownVariableType]
    """Names with a value of a module: the module, the value, the annotation."""
    aliases: dict[str, tuple[str, ast.expr]] = field(default_factory=dict)  # pyright: ignore[reportUnknownVariableType]
    """Names of types."""
    names: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """By module, what each name of it stands for by its full name."""

    def __post_init__(self) -> None:
        for module in self.modules:
            self._read(module)
        for one in self.classes.values():
            one.bases = [base for node in one.node.bases if (base := self.full_name(one.module, node)) is not None]

    def _read(self, module: Module) -> None:
        names = self.names[module.name] = {}
        for node in module.nodes:
            if isinstance(node, ast.Import):
                names |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        for node in module.tree.body:
            self._declare(module.name, node, names)

    def _declare(self, module: str, node: ast.stmt, names: dict[str, str]) -> None:
        match node:
            case ast.ClassDef():
                full = names[node.name] = f"{module}.{node.name}"
                self.classes[full] = ClassInfo(full, module, node)
            case ast.FunctionDef():
                full = names[node.name] = f"{module}.{node.name}"
                self.functions[full] = Function(full, module, node)
            case ast.TypeAlias(name=ast.Name(id=name)):
                full = names[name] = f"{module}.{name}"
                self.aliases[full] = (module, node.value)
            case ast.Assign(targets=[ast.Name(id=name)]):
                full = names[name] = f"{module}.{name}"
                self.values[full] = (module, node.value, None)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                full = names[name] = f"{module}.{name}"
                self.values[full] = (module, value, node.annotation)
            case ast.If():
                for one in node.body:
                    self._declare(module, one, names)
            case _:
                pass

    def full_name(self, module: str, node: ast.expr) -> str | None:
        """What a name, dotted or not, stands for in a module; None for what is no name of it."""
        match node:
            case ast.Name(id=name):
                return self.names[module].get(name)
            case ast.Attribute(value=value, attr=attr):
                before = self.full_name(module, value)
                return self._reexported(f"{before}.{attr}") if before is not None else None
            case ast.Subscript(value=value):
                return self.full_name(module, value)
            case _:
                return None

    def _reexported(self, full: str) -> str:
        module, _, name = full.rpartition(".")
        return self.names.get(module, {}).get(name, full)

    def ancestry(self, name: str) -> Iterator[ClassInfo]:
        """A class and what it comes of, nearest first."""
        one = self.classes.get(name)
        if one is not None:
            yield one
            for base in one.bases:
                yield from self.ancestry(base)

    def members(self, name: str) -> Mapping[str, Function | ast.AnnAssign]:
        """What a class has, inherited or not."""
        found: dict[str, Function | ast.AnnAssign] = {}
        for one in self.ancestry(name):
            for key, member in {**one.fields, **one.methods}.items():
                found.setdefault(key, member)
        return found

    @cached_property
    def _attributes(self) -> Mapping[str, frozenset[str]]:
        """By class what its instances have: members, and what its constructor sets."""
        return {
            name: frozenset(self.members(name)) | {key for one in self.ancestry(name) for key in one.set_in_init}
            for name in self.classes
        }

    @cached_property
    def _children(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for one in self.classes.values():
            for above in list(self.ancestry(one.name))[1:]:
                found.setdefault(above.name, []).append(one.name)
        return found

    @cached_property
    def _satisfying(self) -> dict[str, tuple[str, ...]]:
        return {}

    def concrete(self, one: Type) -> tuple[str, ...]:
        """The classes that a type may stand for: itself and what comes of it, or what satisfies a protocol."""
        name = one.name
        if one.is_exact:
            return (name,)
        if name not in self._satisfying:
            self._satisfying[name] = tuple(self._concrete(name))
        return self._satisfying[name]

    def _concrete(self, name: str) -> Iterable[str]:
        one = self.classes.get(name)
        if one is None:
            return ()
        if not is_protocol(one.node):
            return (name, *self._children.get(name, ()))
        wanted = frozenset(self.members(name)) - {"__call__"}
        return (
            other
            for other, has in self._attributes.items()
            if wanted
            and wanted <= has
            and not is_protocol(self.classes[other].node)
            and all(self._takes_the_same(name, other, method) for method in wanted)
        )

    def _takes_the_same(self, protocol: str, other: str, method: str) -> bool:
        """Whether a method can be called as the protocol says: by the names of its parameters."""
        wanted, given = self.members(protocol)[method], self.members(other).get(method)
        if not isinstance(wanted, Function) or not isinstance(given, Function):
            return True
        names = [one.arg for one in wanted.parameters[1:]]
        return [one.arg for one in given.parameters[1:]][: len(names)] == names and self._gives_the_same(wanted, given)

    def _gives_the_same(self, wanted: Function, given: Function) -> bool:
        """Whether what a method returns can be what the protocol says; of generic types only that both are some."""
        if _is_none(wanted) or _is_none(given):
            return _is_none(wanted) and _is_none(given)
        wished = {one.name for one in self.types(wanted.module, wanted.node.returns)}
        got = {above.name for one in self.types(given.module, given.node.returns) for above in self._above(one)}
        is_open = any(len(name) == 1 or name in ("Any", "object", "Self") for name in wished | got)
        is_protocol_itself = any(name in self.classes and is_protocol(self.classes[name].node) for name in wished)
        return is_open or is_protocol_itself or bool(wished & got) or _many(wished) == _many(got) is True

    def _above(self, one: Type) -> Iterator[Type]:
        yield one
        yield from (Type(above.name) for above in self.ancestry(one.name))

    def types(self, module: str, node: ast.expr | None, own: str | None = None) -> Types:
        """What an annotation says; `own` is the class that it stands in."""
        match node:
            case ast.Constant(value=str(text)):
                return self.types(module, ast.parse(text, mode="eval").body, own)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.types(module, left, own) + self.types(module, right, own)
            case ast.Subscript(value=value, slice=inner):
                return self._generic(module, value, inner, own)
            case ast.Name() | ast.Attribute():
                return self._named(module, node, own)
            case _:
                return ()

    def _named(self, module: str, node: ast.Name | ast.Attribute, own: str | None) -> Types:
        full = self.full_name(module, node)
        if full in self.aliases:
            return self.types(*self.aliases[full], own)
        if full is not None:
            return (Type(full if full in self.classes else full.rpartition(".")[2]),)
        if isinstance(node, ast.Name):
            return (Type(own),) if node.id == "Self" and own else (Type(node.id),)
        return ()

    def _generic(self, module: str, value: ast.expr, inner: ast.expr, own: str | None) -> Types:
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        name = name_of(value)
        if name in ("Annotated", "ClassVar", "Final", "Optional"):
            return self.types(module, parts[0], own)
        if name == "Callable":
            return (Type("Callable", (self.types(module, parts[-1], own),)),)
        full = self.full_name(module, value)
        if full in self.aliases:
            return self.types(*self.aliases[full], own)
        arguments = tuple(self.types(module, one, own) for one in parts)
        return (Type(full if full in self.classes else name, arguments),) if full or name else ()


def _is_none(function: Function) -> bool:
    """Whether it says that it returns nothing."""
    returns = function.node.returns
    return isinstance(returns, ast.Constant) and returns.value is None


def _many(names: Set[str]) -> bool:
    """Whether any of the types holds several of something."""
    return bool(names & (ELEMENTS | MAPPINGS))


def element(types: Types, at: int | None = None) -> Types:
    """What is in something that is gone through; of tuples with parts of their own the one at a place."""
    found: list[Type] = []
    for one in types:
        if one.name in MAPPINGS and one.arguments:
            found += one.arguments[0]
        elif one.name == "tuple" and at is not None and len(one.arguments) > at:
            found += one.arguments[at]
        elif one.name == "tuple":
            found += [part for argument in one.arguments for part in argument]
        elif one.name in ELEMENTS and one.arguments:
            found += one.arguments[0]
    return tuple(dict.fromkeys(found))


def substituted(types: Types, known: Mapping[str, Types]) -> Types:
    """The types with parameters in place of which there is something known."""
    found: list[Type] = []
    for one in types:
        if one.name in known:
            found += known[one.name]
        else:
            arguments = tuple(substituted(part, known) for part in one.arguments)
            found.append(Type(one.name, arguments, one.is_exact))
    return tuple(dict.fromkeys(found))


def bounds(source: Source, module: str, node: ast.FunctionDef) -> Mapping[str, Types]:
    """What the type parameters of a function have to be at least, where they say so."""
    known = ((one.name, one.bound) for one in node.type_params if isinstance(one, ast.TypeVar) and one.bound)
    return {name: source.types(module, bound) for name, bound in known}


def is_context_manager(node: ast.FunctionDef) -> bool:
    """Whether it is a generator that `with` runs."""
    return any(name_of(one) == "contextmanager" for one in node.decorator_list)


def reads_like_field(function: Function) -> bool:
    """Whether a method is a property."""
    return is_property(function.node)
