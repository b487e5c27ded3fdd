"""Which functions a function may call, from the types that mypy infers: an over-approximation, and nothing is run.

A call through an attribute goes to the method of the declared class and to every override of it; a call through a
protocol goes to every class with all of its members. A function counts as called where it
is named: one that is handed on by code which is not reached, as a listener, must be given in `leads`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import GetSetDescriptorType

from mypy import build, nodes
from mypy.modulefinder import BuildSource
from mypy.options import Options
from mypy.patterns import ClassPattern, Pattern
from mypy.types import (
    CallableType,
    Instance,
    LiteralType,
    Overloaded,
    TupleType,
    Type,
    TypeType,
    TypeVarType,
    UnionType,
    get_proper_type,
)

PACKAGES = ("core", "console", "state")
REFERS = frozenset(
    {"node", "info", "type", "unanalyzed_type", "analyzed", "original_def", "def_var", "expanded", "unanalyzed_items"}
)
"""What a node of a tree refers to, and does not hold."""
Names = Sequence[str]


@dataclass(slots=True)
class Code:
    """What one function may do.

    Attributes
    ----------
    calls
        Full names of functions that it names or reaches through an attribute.
    makes
        Full names of classes that it names, but as a type to be compared with.
    handed
        Functions that are given to a call: the name that is called, and theirs.
    """

    calls: set[str] = field(default_factory=set)
    makes: set[str] = field(default_factory=set)
    handed: set[tuple[str, str]] = field(default_factory=set)


class CallGraph:
    """The functions of the packages that these modules import, by full name.

    Parameters
    ----------
    leads
        For the full name of a class the functions that run somewhere else once such an object was made: those that
        follow a fact. For that of a function those that it calls though nobody names them there: listeners.
    """

    def __init__(self, root: Path, modules: Iterable[str], leads: Mapping[str, Names] | None = None) -> None:
        built = _built(root, modules)
        self._types, self.leads = built.types, {**(leads or {})}
        self.functions: dict[str, nodes.FuncItem] = {}
        self._classes: dict[str, nodes.TypeInfo] = {}
        self._below: dict[str, list[nodes.TypeInfo]] = defaultdict(list)
        for name, tree in built.files.items():
            if name.split(".")[0] in PACKAGES or name in modules:
                self._take(tree.names.values())
        for info in self._classes.values():
            for above in info.mro[1:]:
                self._below[above.fullname].append(info)
        self._code: dict[str, Code] = {}

    def _take(self, symbols: Iterable[nodes.SymbolTableNode]) -> None:
        for symbol in symbols:
            node = symbol.node
            if isinstance(node, nodes.TypeInfo) and node.fullname not in self._classes:
                self._classes[node.fullname] = node
                self._take(node.names.values())
            elif isinstance(node, nodes.FuncDef | nodes.OverloadedFuncDef | nodes.Decorator):
                for item in _items(node):
                    self.functions.setdefault(node.fullname, item)

    def reached(self, roots: Iterable[str], but: Collection[str] = ()) -> dict[str, str]:
        """Every function that may run because of these, with the one from which it was reached first; `but` these."""
        found = dict.fromkeys(roots, "")
        todo = [*found]
        while todo:
            name = todo.pop()
            for called in self._next(name):
                if called not in found and called not in but:
                    found[called] = name
                    todo.append(called)
        return found

    def made_by(self, reached: Iterable[str]) -> set[str]:
        """Full names of the classes that these functions make."""
        return {made for name in reached if name in self.functions for made in self.code(name).makes}

    def handed_to(self, name: str, where: tuple[str, ...]) -> set[str]:
        """The functions that are given to calls of this name, in the modules whose names begin so."""
        found = (self.code(each).handed for each in list(self.functions) if each.startswith(where))
        return {handed for pairs in found for to, handed in pairs if to == name}

    def code(self, name: str) -> Code:
        if name not in self._code:
            self._code[name] = _Reader(self, self._types).read(self.functions[name])
        return self._code[name]

    def _next(self, name: str) -> Iterator[str]:
        if name not in self.functions:
            return
        code = self.code(name)
        yield from code.calls
        yield from self.leads.get(name, ())
        for made in code.makes:
            yield from self.leads.get(made, ())
            if made in self._classes:
                yield from (m for m in map(_full, self._dunders(made)) if m in self.functions)

    def _dunders(self, name: str) -> Iterator[nodes.Node | None]:
        """What Python calls by itself of a class."""
        info = self._classes[name]
        for above in info.mro:
            yield from (symbol.node for key, symbol in above.names.items() if key.startswith("__"))

    def methods(self, info: nodes.TypeInfo, name: str) -> Iterator[str]:
        """The method of a class and of those below it; of a protocol, of each class that has its members."""
        wanted = [info, *self._below[info.fullname]]
        if info.is_protocol:
            wanted += [each for each in self._classes.values() if _has_all(each, info)]
        for each in wanted:
            symbol = each.get(name)
            if symbol is not None and _full(symbol.node) in self.functions:
                yield _full(symbol.node)

    def how(self, reached: Mapping[str, str], name: str) -> str:
        """The way to a function, from its root."""
        way = [name]
        while reached.get(way[-1]):
            way.append(reached[way[-1]])
        return " > ".join(reversed(way))


class _Reader:
    """Reads one function, with the functions inside it."""

    def __init__(self, graph: CallGraph, types: Mapping[nodes.Expression, Type]) -> None:
        self.graph, self.types, self.found = graph, types, Code()

    def read(self, item: nodes.FuncItem) -> Code:
        self._walk(item)
        return self.found

    def _walk(self, node: nodes.Node) -> None:
        match node:
            case nodes.CallExpr(callee=nodes.NameExpr(fullname="builtins.isinstance" | "builtins.issubclass")):
                self._walk(node.args[0])
                return
            case ClassPattern():
                return  # a type to be compared with
            case nodes.CallExpr():
                self._called(node)
            case nodes.NameExpr():
                self._named(node.node)
            case nodes.MemberExpr() if isinstance(node.node, nodes.TypeInfo | nodes.FuncBase | nodes.Decorator):
                self._named(node.node)
            case nodes.MemberExpr():
                for info in _classes_of(self.types.get(node.expr)):
                    self.found.calls.update(self.graph.methods(info, node.name))
            case nodes.SuperExpr(info=nodes.TypeInfo() as info):
                self.found.calls.update(
                    _full(above.names[node.name].node) for above in info.mro[1:] if node.name in above.names
                )
        for part in _parts(node):
            self._walk(part)

    def _called(self, call: nodes.CallExpr) -> None:
        """A class is made that is called, or that is given to somebody; an object is, that is changed in its copy."""
        handed = [
            each for each in call.args if isinstance(each, nodes.RefExpr) and isinstance(each.node, nodes.TypeInfo)
        ]
        made = [_type_of_object(self.types.get(each)) for each in (call.callee, *handed)]
        if isinstance(call.callee, nodes.RefExpr) and call.callee.fullname == "dataclasses.replace":
            made += _classes_of(self.types.get(call.args[0]))
        self.found.makes.update(info.fullname for info in made if info is not None)
        to = call.callee.name if isinstance(call.callee, nodes.NameExpr | nodes.MemberExpr) else ""
        for each in call.args:
            if isinstance(each, nodes.MemberExpr):
                methods = (self.graph.methods(info, each.name) for info in _classes_of(self.types.get(each.expr)))
                self.found.handed.update((to, method) for some in methods for method in some)

    def _named(self, node: nodes.SymbolNode | None) -> None:
        if _full(node) in self.graph.functions:
            self.found.calls.add(_full(node))


@cache
def _attributes(kind: type) -> tuple[str, ...]:
    """What holds the parts of a node of this kind: not what it refers to."""
    held = (name for name in dir(kind) if isinstance(getattr(kind, name), GetSetDescriptorType))
    return tuple(name for name in held if name not in REFERS)


def _parts(node: nodes.Node) -> Iterator[nodes.Node]:
    todo: list[object] = [getattr(node, name, None) for name in _attributes(type(node))]  # type: ignore[arg-type]
    while todo:
        each = todo.pop()
        if isinstance(each, nodes.Expression | nodes.Statement | nodes.Block | nodes.Argument | Pattern):
            yield each
        elif isinstance(each, list | tuple):
            todo.extend(each)


def _built(root: Path, modules: Iterable[str]) -> build.BuildResult:
    options = Options()
    options.export_types = options.preserve_asts = options.ignore_errors = options.check_untyped_defs = True
    options.incremental = False
    options.no_site_packages = True  # other packages call back only functions that our code passes to them
    options.python_executable = None
    options.mypy_path = [str(root)]
    sources = [BuildSource(str(root / f"{name.replace('.', '/')}.py"), name) for name in modules]
    return build.build(sources, options)


def _items(node: nodes.Node | None) -> Iterator[nodes.FuncItem]:
    match node:
        case nodes.FuncDef():
            yield node
        case nodes.Decorator():
            yield node.func
        case nodes.OverloadedFuncDef():
            for each in node.items:
                yield from _items(each)


def _full(node: object) -> str:
    return node.fullname if isinstance(node, nodes.SymbolNode) else ""


def _has_all(info: nodes.TypeInfo, protocol: nodes.TypeInfo) -> bool:
    return info is not protocol and all(info.get(name) is not None for name in protocol.protocol_members)


def _classes_of(kind: Type | None) -> Iterator[nodes.TypeInfo]:
    match get_proper_type(kind):
        case Instance() as found:
            yield found.type
        case UnionType() as found:
            for each in found.items:
                yield from _classes_of(each)
        case TupleType() as found:
            yield found.partial_fallback.type
        case LiteralType() as found:
            yield found.fallback.type
        case TypeVarType() as found:
            yield from _classes_of(found.upper_bound)
        case TypeType() as found:
            yield from _classes_of(found.item)
        case CallableType() as found if found.is_type_obj():
            yield from _classes_of(found.ret_type)
        case Overloaded() as found if found.is_type_obj():
            yield from _classes_of(found.items[0].ret_type)


def _type_of_object(kind: Type | None) -> nodes.TypeInfo | None:
    """What a call of it makes, where it is a class."""
    match get_proper_type(kind):
        case CallableType() as found if found.is_type_obj():
            return found.type_object()
        case Overloaded() as found if found.is_type_obj():
            return found.type_object()
        case TypeType() as found:
            return next(_classes_of(found.item), None)
        case _:
            return None
