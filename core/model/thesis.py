"""A thesis: why a strategy should make money, the criteria that refute it, and what its trades say of them (AN-07)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from core.model.lazy_dataclass import dataclass
from core.model.values import Money, plain

MOST_TRADES = 1_000
"""Of a criterion; so many are kept of each strategy."""


class Measure(StrEnum):
    """A figure of the last trades; profits are after fees."""

    WIN_RATE = "win rate"
    """Percent of trades above zero."""
    PROFIT_FACTOR = "profit factor"
    """Gains over losses; without a loss there is none."""
    PROFIT = "profit"
    """USD, all together."""
    EXPECTANCY = "expectancy"
    """USD a trade."""
    DRAWDOWN = "drawdown"
    """USD, the deepest fall of their running total."""


class Status(StrEnum):
    ACTIVE = "ACTIVE"
    PENDING = "PENDING"
    INVALIDATED = "INVALIDATED"


class TradeKind(StrEnum):
    """The trades by which a thesis is judged, each kind by itself."""

    CLOSED = "closed"
    PAPER = "paper"
    """Entries that were not taken, followed as if they had been (OP-12)."""


UNITS = {Measure.WIN_RATE: " %", Measure.PROFIT_FACTOR: ""}
"""Of each figure; the others are USD."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """The thesis is refuted if the figure of the last `trades` trades is below (or above) the limit."""

    measure: Measure
    is_below: bool
    limit: Decimal
    trades: int

    def is_met(self, value: Decimal | None) -> bool:
        return value is not None and (value < self.limit if self.is_below else value > self.limit)

    @property
    def in_words(self) -> str:
        sign, unit = "<" if self.is_below else ">", UNITS.get(self.measure, " USD")
        return f"{self.measure} {sign} {plain(self.limit)}{unit} over {self.trades} trades"


@dataclass(frozen=True, slots=True)
class Thesis:
    """One entry of the file. Trades that ended before `since` do not count; None counts all."""

    name: str
    says: str
    strategy: str
    criteria: tuple[Criterion, ...]
    since: date | None = None

    def says_as(self, other: Thesis) -> bool:
        """Return whether the sentences are equal, case and spaces aside."""
        return self.says.lower().split() == other.says.lower().split()


@dataclass(frozen=True, slots=True)
class EndedTrade:
    """A closed trade of a strategy: the trading day of its exit, and its profit after fees, USD."""

    day: date
    profit: Money


@dataclass(frozen=True, slots=True)
class EndedTrades:
    """The last trades of a strategy, oldest first.

    It is replaced as a whole: a checkpoint encodes only what was replaced since the one before.
    """

    trades: tuple[EndedTrade, ...] = ()

    def and_then(self, ended: EndedTrade) -> EndedTrades:
        """Return them with one more. Days never go back: a late trade counts on the newest day."""
        known = self.trades[1 - MOST_TRADES :]
        return EndedTrades((*known, replace(ended, day=max(ended.day, known[-1].day)) if known else ended))

    def without(self, profit: Money, corrected: Money | None) -> EndedTrades:
        """Return them without the last one of this profit, or with its corrected one: the broker took a fill back."""
        last = max((n for n, one in enumerate(self.trades) if one.profit == profit), default=None)
        if last is None:
            return self
        instead = () if corrected is None else (replace(self.trades[last], profit=corrected),)
        return EndedTrades((*self.trades[:last], *instead, *self.trades[last + 1 :]))


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the trades say of a criterion.

    Attributes
    ----------
    value
        The figure of the last trades, or of those that first met the criterion, to four places; None without one.
    count
        The trades behind it, `Criterion.trades` or fewer.
    first, last
        The days of their exits; None without a trade.
    """

    criterion: Criterion
    is_met: bool
    value: Decimal | None
    count: int
    first: date | None
    last: date | None

    @property
    def is_pending(self) -> bool:
        return self.count < self.criterion.trades

    @property
    def in_words(self) -> str:
        words = self.criterion.in_words
        if self.count == 0:
            return f"{words}: no trade yet"
        unit = UNITS.get(self.criterion.measure, " USD")
        value = "no figure" if self.value is None else f"{self.value:,.2f}{unit}"
        days = f"{self.first} to {self.last}"
        if self.is_met:
            return f"{words}: MET by {value}, {days}"
        missing = f"{self.count} of {self.criterion.trades} trades so far, " if self.is_pending else ""
        return f"{words}: {missing}{value}, {days}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one kind of trades says of a thesis."""

    thesis: Thesis
    status: Status
    evidence: tuple[Evidence, ...]
    kind: TradeKind = TradeKind.CLOSED

    @property
    def met(self) -> Evidence | None:
        """The first criterion that is met; None if none is."""
        return next((each for each in self.evidence if each.is_met), None)
