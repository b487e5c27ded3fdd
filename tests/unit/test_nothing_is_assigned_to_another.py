"""Nobody hangs a callback on somebody else: each is given what it calls when it is made (SP-07)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("core", "console", "widgets", "state")
GROWS = {"append", "appendleft", "add", "insert", "extend", "setdefault"}
OWN = {"self", "cls"}

HANGS_ONE_ON_ANOTHER: Mapping[str, str] = {
    "core/brokers/alpaca/wire.py: session.auth": "a session of requests, which takes it in no other way",
    "core/runtime/notifier/child.py: socket.socket.connect": "beneath every library, in the process of one try alone",
}
"""By place: why."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def trees() -> Mapping[str, ast.Module]:
    paths = [ROOT / "app.py", *(path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))]
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in paths}


@cache
def aliases() -> frozenset[str]:
    """Names of types that are something to call: `Listener = Callable[…]`."""
    made = (node for tree in trees().values() for node in tree.body if isinstance(node, ast.Assign))
    return frozenset({"Callable"}).union(
        target.id
        for node in made
        if isinstance(node.value, ast.Subscript) and ast.unparse(node.value.value) == "Callable"
        for target in node.targets
        if isinstance(target, ast.Name)
    )


def says_callable(annotation: ast.expr | None) -> bool:
    return annotation is not None and any(
        isinstance(node, ast.Name) and node.id in aliases() for node in ast.walk(annotation)
    )


def is_read(function: Function) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id.endswith("property") for mark in function.decorator_list)


@cache
def functions() -> frozenset[str]:
    """Names of methods that are never the name of a value too."""
    called, read = set[str](), set[str]()
    for tree in trees().values():
        for node in ast.walk(tree):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    (read if is_read(node) else called).add(name)
                case ast.AnnAssign(target=ast.Attribute(attr=name) | ast.Name(id=name), annotation=annotation):
                    (called if says_callable(annotation) else read).add(name)
                case ast.Attribute(attr=name, ctx=ast.Store()):
                    read.add(name)
    return frozenset(called - read)


def is_callable(value: ast.expr, own: set[str], local: set[str]) -> bool:
    """What can be called, as far as its text says: by the methods of its class, and by the functions in sight."""
    match value:
        case ast.List(elts=elts) | ast.Tuple(elts=elts):
            return any(is_callable(each, own, local) for each in elts)
        case ast.Lambda():
            return True
        case ast.Call(func=ast.Name(id="partial")):
            return True
        case ast.Attribute(value=ast.Name(id="self"), attr=name) if name in own:
            return True
        case ast.Attribute(attr=name):
            return name in functions()
        case ast.Name(id=name):
            return name in local
    return False


Seen = tuple[ast.AST, set[str], set[str]]


def in_sight(tree: ast.Module) -> Iterator[Seen]:
    """Every node, with the methods of the class and the functions and arguments that can be called there."""
    left: list[Seen] = [(tree, set(), set())]
    while left:
        node, own, local = left.pop()
        yield node, own, local
        inner = {each.name for each in ast.iter_child_nodes(node) if isinstance(each, Function) and not is_read(each)}
        if isinstance(node, ast.ClassDef):
            own = inner
        elif isinstance(node, Function):
            told = [*node.args.args, *node.args.kwonlyargs]
            local = local - {each.arg for each in told} | {each.arg for each in told if says_callable(each.annotation)}
            local |= inner
        elif inner:
            local = local | inner
        left.extend((each, own, local) for each in reversed([*ast.iter_child_nodes(node)]))


def another(target: ast.expr) -> bool:
    """An attribute of something that is not its own, or what that attribute holds."""
    if isinstance(target, ast.Subscript):
        return another(target.value)
    return isinstance(target, ast.Attribute) and not (isinstance(target.value, ast.Name) and target.value.id in OWN)


def hung_on_another(tree: ast.Module) -> Iterator[str]:
    for node, own, local in in_sight(tree):
        match node:
            case ast.Assign(targets=targets, value=value) if is_callable(value, own, local):
                yield from (ast.unparse(each) for each in targets if another(each))
            case ast.AugAssign(target=target, value=value) if another(target) and is_callable(value, own, local):
                yield ast.unparse(target)
            case ast.Call(func=ast.Attribute(value=target, attr=grows), args=[*_, last]) if grows in GROWS:
                if another(target) and is_callable(last, own, local):
                    yield ast.unparse(target)
            case ast.Call(func=ast.Name(id="setattr"), args=[ast.Name(id=name), _, last]) if name not in OWN:
                if is_callable(last, own, local):
                    yield ast.unparse(node)


def test_nobody_assigns_something_to_call_to_another() -> None:
    """SP-07: what one needs of another it is given when it is made, or another says by a method that it may be told"""
    found = {f"{file}: {place}" for file, tree in trees().items() for place in hung_on_another(tree)}

    assert found == HANGS_ONE_ON_ANOTHER.keys()


AS_IT_WAS = """
class Owner:
    def __init__(self, desk: Desk, want: Callable[[], None], watch: Want) -> None:
        desk.listeners.append(self._hear)
        desk.listeners += [self._hear, self._hear]
        desk.on_news = self._hear
        self.door.close = lambda: None
        self.pane.want = want
        self.news.table[int] = told
        self.kept = watch
        self.desk.at = desk.at

    def _hear(self) -> None: ...

    def later(self, told: int) -> None:
        self.desk.told = told

def told() -> None: ...
"""


def test_what_this_looks_for_is_found() -> None:
    """SP-07: each way of hanging one on another, and none of what is no such thing"""
    assert [*hung_on_another(ast.parse(AS_IT_WAS))] == [
        "desk.listeners",
        "desk.listeners",
        "desk.on_news",
        "self.door.close",
        "self.pane.want",
        "self.news.table[int]",
    ]
