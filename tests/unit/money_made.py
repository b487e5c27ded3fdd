"""Finds where a quantity meets a price outside of its instrument, which counts the multiplier (EX-08).

What a number is, its name says: the last word of a variable, an attribute, a call. Looked through are signs, sums,
`abs` and the value types. A product of a quantity and anything but a literal is such a place, and so is one of a price
and a number that may be a quantity; a division of money by either; and every use of an instrument's multiplier. A
product that is held against zero asks for a sign, and makes nothing. What a name does not say this cannot see: two
numbers called `a` and `b` meet unseen.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

QUANTITY = re.compile(r"(^|_)(quantity|quantities|shares|remaining|filled|entered|signed)$")
PERHAPS = re.compile(r"(^|_)(left|taken|more|rest|size|held|lots|count|wanted|amount|units|missing|kept|closed)$")
PRICE = re.compile(
    r"(^|_)(price|way|stop|limit|bid|ask|mid|close|last|average|mark|gained|farthest|nearest|touch|aimed|trigger|stake)$"
)
MONEY = re.compile(r"(^|_)(cost|notional|worth|proceeds|paid|stake|staked)$")
SEEN_THROUGH = frozenset({"abs", "Quantity", "Price", "Money", "Decimal", "max", "min", "sum"})
OF_AN_ACCOUNT = frozenset({"account", "_config", "config", "self"})
"""Whose multiplier is no instrument's: how many times its equity an account is lent."""


@dataclass(frozen=True, slots=True)
class Met:
    """A place where money is made of a quantity and a price, or the other way round."""

    file: str
    line: int
    function: str
    code: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function}: {self.code}"


def money_made(files: Mapping[str, str]) -> list[Met]:
    """Every such place in these sources, by their names."""
    return [met for name, source in files.items() for met in _of(name, ast.parse(source), "")]


def _of(file: str, node: ast.AST, function: str) -> Iterator[Met]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        function = f"{function}.{node.name}".strip(".")
    if _asks_for_a_sign(node):
        return
    if _is_one(node):
        yield Met(file, getattr(node, "lineno", 0), function, ast.unparse(node))
    for child in ast.iter_child_nodes(node):
        yield from _of(file, child, function)


def _asks_for_a_sign(node: ast.AST) -> bool:
    """`held * signed < 0`: whether two numbers go the same way."""
    match node:
        case ast.Compare(left=ast.BinOp(op=ast.Mult()), comparators=[ast.Constant(value=0) | ast.Name(id="ZERO")]):
            return True
    return False


def _is_one(node: ast.AST) -> bool:
    match node:
        case ast.BinOp(left=one, op=ast.Mult(), right=other) | ast.AugAssign(target=one, op=ast.Mult(), value=other):
            return _is_product(one, other)
        case ast.Call(func=ast.Attribute(attr="multiply"), args=[one, other]):
            return _is_product(one, other)
        case ast.BinOp(left=one, op=ast.Div(), right=other):
            return _is_quotient(one, other)
        case ast.Call(func=ast.Attribute(attr="divide"), args=[one, other]):
            return _is_quotient(one, other)
    return False


def _is_product(one: ast.expr, other: ast.expr) -> bool:
    if _counts(one) or _counts(other):
        return True
    if isinstance(one, ast.Constant) or isinstance(other, ast.Constant):
        return False
    if _says(QUANTITY, one) or _says(QUANTITY, other):
        return True
    return (_says(PRICE, one) and _says(PERHAPS, other)) or (_says(PERHAPS, one) and _says(PRICE, other))


def _is_quotient(one: ast.expr, other: ast.expr) -> bool:
    return _says(MONEY, one) and (_says(QUANTITY, other) or _says(PRICE, other) or _says(PERHAPS, other))


def _says(words: re.Pattern[str], node: ast.expr) -> bool:
    return any(words.search(name) is not None for name in _names(node))


def _names(node: ast.expr) -> Iterator[str]:
    """What a number is called, by each of its terms."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.UnaryOp(operand=inner) | ast.Subscript(value=inner) | ast.NamedExpr(value=inner):
            yield from _names(inner)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=right) | ast.IfExp(body=left, orelse=right):
            yield from (*_names(left), *_names(right))
        case ast.BoolOp(values=values):
            yield from (name for value in values for name in _names(value))
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            yield from (*_names(left), *_names(right))
        case ast.Call(func=ast.Name(id=name), args=args) if name in SEEN_THROUGH:
            yield from (found for arg in args for found in _names(arg))
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            yield name


def _counts(node: ast.expr) -> bool:
    """Whether it is an instrument's multiplier."""
    match node:
        case ast.Attribute(value=holder, attr="multiplier"):
            name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
            return name not in OF_AN_ACCOUNT
    return False
