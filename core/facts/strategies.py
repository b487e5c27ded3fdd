"""What strategies said of bars, and what befell them: one failed, two contradicted each other, one is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.facts.registry import Fact, fact
from core.model.signal import EntrySignal, ExitSignal
from core.model.values import Symbol


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class SignalRaised(Fact):
    """What a strategy said of a bar: to enter, or to leave (ST-01). The facts after it tell what came of it."""

    signal: EntrySignal | ExitSignal


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class ReasonsCounted(Fact):
    """A session is over: what each strategy answered to its bars, and how often (ST-03).

    Attributes
    ----------
    before
        The trading day of the session that begins.
    reasons
        By `strategy/SYMBOL`, how many bars had each reason for not trading, or `SIGNAL`.
    """

    before: date
    reasons: dict[str, dict[str, int]]


@fact(version=2)
@dataclass(frozen=True, slots=True)
class StrategyFailed(Fact):
    """It gave no answer to a bar that could be used: it raised, or it was too slow.

    Attributes
    ----------
    reason
        What it raised, in words; empty where it was slow.
    milliseconds, limit
        How long it took, and how long it may; None where it raised.
    is_broken_off
        It had no answer when its time was over: the bar is none that it saw.
    """

    strategy: str
    symbol: Symbol
    bar_start: datetime
    reason: str = ""
    milliseconds: Decimal | None = None
    limit: Decimal | None = None
    is_broken_off: bool = False


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
