"""What befell the strategies themselves: one failed on a bar, two contradicted each other, one is missing (ST-07)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.facts.registry import Fact, fact
from core.model.values import Symbol


@fact()
@dataclass(frozen=True, slots=True)
class StrategyFailed(Fact):
    """It gave no answer to a bar that could be used: it raised, or it was too slow.

    Attributes
    ----------
    reason
        What it raised, in words; empty where it was slow.
    milliseconds, limit
        How long it took, and how long it may; None where it raised.
    """

    strategy: str
    symbol: Symbol
    bar_start: datetime
    reason: str = ""
    milliseconds: Decimal | None = None
    limit: Decimal | None = None


@fact()
@dataclass(frozen=True, slots=True)
class SignalsOpposed(Fact):
    """On one bar some would have bought and others sold: no entry of them is staged.

    Attributes
    ----------
    buyers, sellers
        The strategies that signalled.
    leaving
        Of the sellers, those whose exit is staged all the same: it protects, or was held back before.
    """

    symbol: Symbol
    bar_start: datetime
    buyers: tuple[str, ...]
    sellers: tuple[str, ...]
    leaving: tuple[str, ...] = ()


@fact()
@dataclass(frozen=True, slots=True)
class StrategyMissing(Fact):
    """A strategy of the user's that has a table does not load, and why: nothing is proposed for it."""

    strategy: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class StrategyFound(Fact):
    """It loads again, or nothing asks for it any more."""

    strategy: str


@fact()
@dataclass(frozen=True, slots=True)
class StrategyForgot(Fact):
    """What was saved of a strategy of the user's does not fit its State, and why: it begins anew (ST-01)."""

    strategy: str
    symbol: Symbol
    reason: str
