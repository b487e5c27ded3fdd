"""Parse a typed alert: `182.50`, `<180`, `+2%`, `spread 0.1%`, `volume 5m`, `fill`, `halt`, `drop 1`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from console.order_form.draft import TOO_LARGE, WHOLE, is_too_large, number_in
from core.model.alert import AlertKind, AlertTerms
from core.model.symbols import small_letters
from core.model.values import Price, Symbol

SIDES = {">": True, "<": False}
SIGNS = {"+": True, "-": False, "−": False}
WORDS = {
    "spread": AlertKind.SPREAD,
    "volume": AlertKind.VOLUME,
    "fill": AlertKind.FILL,
    "halt": AlertKind.HALT,
}
DROP = "drop"
MANY = {"k": 1_000, "m": 1_000_000}
WORD = re.compile(r"([a-z]+)\s*(.*)")
EXAMPLES = "182.50  <180  +2%  spread 0.1%  volume 5m  fill  halt"


@dataclass(frozen=True, slots=True)
class Drop:
    """Drop an alert, by the number beside it."""

    number: int


def read_alert(symbol: Symbol, text: str, last: Price | None) -> AlertTerms | Drop | str:
    """Return the alert, or the error text; `last` tells on which side of the market a bare price is."""
    typed = small_letters(text.strip())
    if found := WORD.fullmatch(typed):
        return _named(symbol, found[1], found[2])
    if typed.endswith("%") or typed[:1] in SIGNS:
        return _change(symbol, typed)
    side = SIDES.get(typed[:1])
    price = number_in(typed if side is None else typed[1:])
    if price is None and is_too_large(typed if side is None else typed[1:]):
        return TOO_LARGE
    if price is None:
        return f"one of: {EXAMPLES}  drop and a number"
    if side is None and last is None:
        return "no price of it is known yet: type > or < before the level"
    return AlertTerms(symbol, AlertKind.PRICE, price, side if side is not None else price > (last or price))


def _named(symbol: Symbol, word: str, rest: str) -> AlertTerms | Drop | str:
    """Parse a word, recognised by its beginning."""
    if DROP.startswith(word):
        is_number = rest.isascii() and rest.isdecimal() and len(rest) < len("1000")
        return Drop(int(rest)) if is_number else "drop which? its number"
    kind = next((kind for name, kind in WORDS.items() if name.startswith(word)), None)
    if kind is None:
        return f"one of: {EXAMPLES}"
    if kind in (AlertKind.FILL, AlertKind.HALT):
        return AlertTerms(symbol, kind) if not rest else f"{kind} has no level"
    level = _shares(rest) if kind is AlertKind.VOLUME else _percent(rest)
    if level is None:
        return f"a {kind} needs its level: {'volume 5m' if kind is AlertKind.VOLUME else 'spread 0.1%'}"
    return AlertTerms(symbol, kind, level)


def _change(symbol: Symbol, typed: str) -> AlertTerms | str:
    """Up without a sign; behind a sign a bare number is percent too."""
    is_up = SIGNS.get(typed[:1])
    fraction = _percent(typed if is_up is None else f"{typed[1:].removesuffix('%')}%")
    if fraction is None:
        return "a change is typed as +2% or -2%"
    return AlertTerms(symbol, AlertKind.CHANGE, fraction if is_up is not False else -fraction, is_up is not False)


def _percent(text: str) -> Decimal | None:
    number = number_in(text.removesuffix("%"))
    return None if number is None or not text.endswith("%") else number / WHOLE


def _shares(text: str) -> Decimal | None:
    bare = text.replace(",", "")
    number = number_in(bare[:-1] if bare[-1:] in MANY else bare)
    return None if number is None else number * MANY.get(bare[-1:], 1)
