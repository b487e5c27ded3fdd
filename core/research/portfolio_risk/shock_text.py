"""Shocks as the operator types them: `VIX to 40`, `SPY -7 %`, `oil +20 %`, several joined by commas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum

from core.files.csv_files import shown
from core.model.instrument import small_letters, symbol_in
from core.model.lazy_dataclass import dataclass
from core.model.values import ZERO, Symbol, number_in
from core.ports import OperatorError
from core.research.portfolio_risk.portfolio import VIX

ALIASES: Mapping[str, Symbol] = {"oil": Symbol("USO")}
"""Other names of factors, in small letters: oil is the fund that holds its futures."""
EXAMPLE = "'VIX to 40', 'SPY -7 %', 'oil +20 %', or 'VIX +15 points'; commas join several"
HIGHEST_VIX = Decimal(200)
MOST_PERCENT = Decimal(1000)
HUNDRED = Decimal(100)
LONGEST = 200
"""Characters of a shock."""
_ITEM = re.compile(
    r"(?P<name>\S+)\s+(?:to\s+(?P<level>\S+)|(?P<sign>[+-])\s*(?P<change>[0-9.]+)\s*(?P<unit>%|points?|pts))",
    re.IGNORECASE,
)


class Kind(Enum):
    """How the amount of a factor's move is measured."""

    TO = "to"
    """A level: points of the VIX, USD a share."""
    BY_FRACTION = "%"
    BY_POINTS = "points"
    """Of the VIX alone."""


@dataclass(frozen=True, slots=True)
class FactorMove:
    """One factor's move; `amount` is a level, a fraction or points, by its kind."""

    factor: Symbol
    kind: Kind
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Shock:
    """Moves of different factors at the same time.

    Attributes
    ----------
    name
        Its file's, or the text as it was typed.
    place
        Where it was written, with the text, for errors.
    """

    name: str
    place: str
    moves: tuple[FactorMove, ...]


def parsed(text: str, place: str = "--shock", name: str = "") -> Shock:
    """Parse a shock; `place` is where it was written, `name` that of its file.

    Raises
    ------
    OperatorError
        The text has another form, an impossible amount, or one factor twice.
    """
    words, place = " ".join(text.replace("−", "-").split()), f"{place} {shown(text)}"
    if not words or len(words) > LONGEST:
        raise OperatorError(f"{place}: write {EXAMPLE}")
    moves = tuple(_move(place, item.strip()) for item in words.split(","))
    factors = [move.factor for move in moves]
    if twice := next((factor for factor in factors if factors.count(factor) > 1), None):
        raise OperatorError(f"{place}: {twice} is there twice; give it one move")
    return Shock(name or f"shock {words}", place, moves)


def _move(place: str, item: str) -> FactorMove:
    found = _ITEM.fullmatch(item)
    if found is None:
        hint = "" if item else ", a comma has nothing beside it"
        raise OperatorError(f"{place}: {shown(item)} is no move{hint}; write {EXAMPLE}")
    factor = ALIASES.get(small_letters(found["name"])) or symbol_in(found["name"])
    if factor is None:
        raise OperatorError(f"{place}: {shown(found['name'])} is no symbol; write {EXAMPLE}")
    amount = number_in(found["level"] or found["change"])
    if amount is None:
        raise OperatorError(f"{place}: {shown(item)} has no number such as 40 or 7.5; write {EXAMPLE}")
    if found["level"] is not None:
        return _checked(place, FactorMove(factor, Kind.TO, amount))
    signed = -amount if found["sign"] == "-" else amount
    if found["unit"] == "%":
        return _checked(place, FactorMove(factor, Kind.BY_FRACTION, signed / HUNDRED))
    return _checked(place, FactorMove(factor, Kind.BY_POINTS, signed))


def _checked(place: str, move: FactorMove) -> FactorMove:
    """Return a possible move. Raises `OperatorError` with its limits."""
    if move.kind is Kind.TO and not ZERO < move.amount <= (HIGHEST_VIX if move.factor == VIX else 10**9):
        limit = f"above 0 and at most {HIGHEST_VIX}" if move.factor == VIX else "above 0, USD"
        raise OperatorError(f"{place}: {move.factor} to {move.amount:g}: the level must be {limit}")
    if move.kind is Kind.BY_FRACTION and not -1 < move.amount <= MOST_PERCENT / HUNDRED:
        limits = f"a move is above -100 % and at most {MOST_PERCENT} %"
        raise OperatorError(f"{place}: {move.factor} {move.amount * HUNDRED:+g} %: {limits}")
    if move.kind is Kind.BY_POINTS and move.factor != VIX:
        raise OperatorError(f"{place}: {move.factor} has no points, only the VIX has; write a move in %")
    return move
