"""Sanitise and bound an adviser's output before it is kept; anything that is not advice is a fault (SY-06)."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.model.advice import Advice, AdviserFault, TradeIdea
from core.model.symbols import SYMBOL
from core.model.values import Symbol

LONGEST = 300
"""Maximum length of an advice, in characters."""
LONGEST_WORD = 80
"""Maximum length of a reason, a type name or an attempt, in characters."""
MOST_DIGITS = 20
"""Maximum number of digits of a figure; no price or quantity has more."""
SHORTEST_LIFE, LONGEST_LIFE = timedelta(minutes=1), timedelta(days=7)
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def plain_text(text: object, longest: int = LONGEST) -> str:
    """Return one printable line without control characters, of limited length."""
    try:
        words = str(text)[: longest * 4]
    except Exception:  # an adviser's own type may raise even here
        return "it cannot be said"
    seen = "".join(c if c.isprintable() else " " for c in words)
    line = " ".join(seen.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def read_advice(said: object) -> Advice | AdviserFault:
    """Return an advice that can be kept, or the fault."""
    if type(said) is not Advice:
        return AdviserFault(f"said a {plain_text(type(said).__name__, LONGEST_WORD)}, which is no advice")
    if type(said.text) is not str or not (text := plain_text(said.text)):
        return AdviserFault("said an advice without words")
    if not isinstance(said.valid_for, timedelta):
        return AdviserFault("said an advice without a time that it is good for")
    life = min(max(said.valid_for, SHORTEST_LIFE), LONGEST_LIFE)
    if said.idea is None:
        return replace(said, text=text, valid_for=life)
    idea = _read_idea(said.idea)
    return idea if isinstance(idea, AdviserFault) else Advice(text, idea, life)


def _read_idea(idea: object) -> TradeIdea | AdviserFault:
    if type(idea) is not TradeIdea:
        return AdviserFault("named a trade that cannot be read")
    figures = (idea.entry, idea.stop, idea.target, idea.quantity)
    if not all(type(figure) is Decimal and _is_short(figure) for figure in figures) or not idea.is_sound:
        return AdviserFault("named a trade whose figures are not stop, entry and target in their order")
    if type(idea.symbol) is not str or not SYMBOL.fullmatch(idea.symbol):
        return AdviserFault("named a trade without a symbol")
    if type(idea.strategy) is not str or not (idea.strategy == "" or NAME.fullmatch(idea.strategy)):
        return AdviserFault("named a strategy that cannot be read")
    return replace(idea, symbol=Symbol(idea.symbol))


def _is_short(figure: Decimal) -> bool:
    """Whether the figure has few digits and places."""
    parts = figure.as_tuple()
    return isinstance(parts.exponent, int) and max(len(parts.digits), abs(parts.exponent)) <= MOST_DIGITS
