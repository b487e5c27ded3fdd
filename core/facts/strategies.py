"""Strategies' answers to bars, and their failures: errors, contradictions, missing strategies."""

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
    """A strategy's signal on a bar: an entry or an exit (ST-01). Later facts record its result."""

    signal: EntrySignal | ExitSignal


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class ReasonsCounted(Fact):
    """A session has ended: each strategy's answers to its bars, with their counts (ST-03).

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
    """A strategy gave no usable answer to a bar: it raised, or it was too slow.

    Attributes
    ----------
    reason
        Text of its exception; empty if it was slow.
    milliseconds, limit
        Its time and the time limit; None if it raised.
    is_broken_off
        It had not answered at the time-out: it has not seen the bar.
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
    """On one bar some strategies would have bought and others sold: none of their entries is staged.

    Attributes
    ----------
    buyers, sellers
        The strategies that signalled.
    leaving
        Sellers whose exit is staged nevertheless: it protects, or was delayed before.
    """

    symbol: Symbol
    bar_start: datetime
    buyers: tuple[str, ...]
    sellers: tuple[str, ...]
    leaving: tuple[str, ...] = ()


@fact()
@dataclass(frozen=True, slots=True)
class StrategyMissing(Fact):
    """A user strategy with a settings table does not load, and why: nothing is proposed for it."""

    strategy: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class StrategyFound(Fact):
    """A user strategy loads again, or is no longer configured."""

    strategy: str


@fact()
@dataclass(frozen=True, slots=True)
class StrategyForgot(Fact):
    """The saved memory of a user strategy does not fit its State, and why: it starts fresh (ST-01)."""

    strategy: str
    symbol: Symbol
    reason: str
