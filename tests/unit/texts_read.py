"""Finds where a decision reads a text: words for people that are compared, searched, taken apart or looked up (SP-07).

A text is what a name says to be one (`reason`, `why`, `words`, `because`, `refusal`, `message`), unless it is an
argument of another type; and so is whatever is held against a sentence: a constant of more than one word, written there
or under a name of capitals. Whether there is a text may be asked; `core.model.said_once` compares texts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

WORDY = re.compile(r"(?<!exit)(^|_)(reasons?|why|words|because|refusals?|message)(_|$)")
SENTENCE = re.compile(r"\w\W* \W*\w")
SEARCHES = frozenset({"startswith", "endswith", "partition", "rpartition", "split", "rsplit", "find", "index", "count"})
MATCHES = frozenset({"match", "search", "fullmatch", "findall", "finditer"})
LOOKS_UP = frozenset({"get", "pop", "setdefault"})


@dataclass(frozen=True, slots=True)
class Read:
    """A place where a text is read."""

    file: str
    line: int
    function: str
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}: {self.code}"


def texts_read(files: Mapping[str, str]) -> list[Read]:
    """Every such place in these sources, by their names."""
    trees = {name: ast.parse(source) for name, source in files.items()}
    said = {_module(name): frozenset(_sentences(tree)) for name, tree in trees.items()}
    return [
        read
        for name, tree in trees.items()
        for read in _Reading(name, said[_module(name)] | frozenset(_taken_over(tree, said))).of(tree)
    ]


def _module(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def sources(*rooms: Path) -> dict[str, str]:
    root = Path(__file__).resolve().parents[2]
    return {str(file.relative_to(root)): file.read_text() for room in rooms for file in sorted(room.rglob("*.py"))}


def _sentences(tree: ast.Module) -> Iterator[str]:
    """Names of capitals that stand for a sentence, or for several."""
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and _holds_sentence(statement.value):
            names = [name for target in statement.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            yield from (name.id for name in names if name.id.isupper())


def _taken_over(tree: ast.Module, said: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Those that it has from another module, by the name that they have here."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module in said:
            yield from (name.asname or name.name for name in node.names if name.name in said[node.module])


def _holds_sentence(value: ast.expr) -> bool:
    if isinstance(value, ast.Tuple | ast.List | ast.Set):
        return any(_holds_sentence(one) for one in value.elts)
    return isinstance(value, ast.Constant) and isinstance(value.value, str) and SENTENCE.search(value.value) is not None


class _Reading:
    """`others` are the arguments of the function that are no texts, whatever they are called."""

    def __init__(self, file: str, sentences: frozenset[str]) -> None:
        self.file = file
        self.sentences = sentences
        self.others: frozenset[str] = frozenset()

    def of(self, node: ast.AST, function: str = "") -> Iterator[Read]:
        before = self.others
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            function = f"{function}.{node.name}".strip(".")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.others |= frozenset(_of_other_types(node))
        if self._reads(node):
            yield Read(self.file, getattr(node, "lineno", 0), function, ast.unparse(node).partition("\n")[0])
        for child in ast.iter_child_nodes(node):
            yield from self.of(child, function)
        self.others = before

    def _reads(self, node: ast.AST) -> bool:
        match node:
            case ast.Compare():
                sides = [node.left, *node.comparators]
                pairs = zip(sides, node.ops, sides[1:], strict=False)
                return any(self._compares(left, op, right) for left, op, right in pairs)
            case ast.Call(func=ast.Attribute(value=holder, attr=name)) if name in SEARCHES:
                return self._is_text(holder) or any(map(self._is_text, node.args))
            case ast.Call(func=ast.Attribute(attr=name)) if name in MATCHES:
                return any(map(self._is_text, node.args))
            case ast.Call(func=ast.Attribute(attr=name)) if name in LOOKS_UP:
                return any(map(self._is_text, node.args[:1]))
            case ast.Subscript(slice=key):
                return self._is_text(key)
            case ast.Match(subject=subject):
                return self._is_text(subject)
        return False

    def _compares(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> bool:
        if not isinstance(op, ast.Eq | ast.NotEq | ast.In | ast.NotIn) or _is_nothing(left) or _is_nothing(right):
            return False
        if isinstance(op, ast.In | ast.NotIn):
            return self._is_text(left) or (self._is_text(right) and not _holds_many(right))
        return self._is_text(left) or self._is_text(right)

    def _is_text(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                is_wordy = name not in self.others and not name.isupper() and WORDY.search(name) is not None
                return is_wordy or name in self.sentences
            case ast.Attribute(attr=name):
                return not name.isupper() and WORDY.search(name) is not None
            case ast.Constant(value=str(text)):
                return SENTENCE.search(text) is not None
            case ast.JoinedStr(values=values) | ast.BoolOp(values=values):
                return any(map(self._is_text, values))
            case ast.Subscript(value=value) | ast.Starred(value=value):
                return self._is_text(value)
            case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
                return any(map(self._is_text, elements))
            case ast.Call(func=ast.Attribute(value=holder, attr="lower" | "casefold" | "strip" | "upper")):
                return self._is_text(holder)
            case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id="error")]):
                return True
        return False


def _of_other_types(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    arguments = function.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if argument.annotation is not None and "str" not in ast.unparse(argument.annotation):
            yield argument.arg


def _holds_many(node: ast.expr) -> bool:
    """A table of texts by what they are of, or several: what stands in it may be asked."""
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name.endswith("s") and name != "words"


def _is_nothing(node: ast.expr) -> bool:
    """Whether a text is there at all may be asked."""
    return isinstance(node, ast.Constant) and not node.value
