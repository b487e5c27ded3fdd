"""Bars for the strategies' tests: the recorded ones beside the project, and series that nobody recorded."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from core.model.bar import Bar
from core.model.session import XNYS, Session
from core.model.signal import Answer, EntrySignal, ExitSignal, NoTrade, NoTradeReason
from core.model.values import NO_SHARES, Money, Price, Quantity, Symbol
from core.strategies.base import Context, Strategy
from core.strategies.trade_plan import fault_in
from tests.data import days_of, minutes_of

SPY = Symbol("SPY")
OPEN = datetime(2013, 10, 8, 13, 30, tzinfo=UTC)
NEW_YORK = ZoneInfo("America/New_York")


def a_bar(start: datetime, prices: tuple[str, str, str, str], volume: str, symbol: Symbol = SPY) -> Bar:
    opened, high, low, close = (Price(Decimal(text)) for text in prices)
    return Bar(symbol, start, opened, high, low, close, Quantity(Decimal(volume)))


def daily_bars(symbol: str = "SPY", count: int | None = None) -> list[Bar]:
    """A session as one bar, which starts when the session does."""
    with days_of(symbol).open() as file:
        rows = list(csv.DictReader(file))[:count]
    return [
        a_bar(
            datetime.combine(date.fromisoformat(row["date"]), time(9, 30), NEW_YORK).astimezone(UTC),
            (row["open"], row["high"], row["low"], row["close"]),
            row["volume"],
            Symbol(symbol),
        )
        for row in rows
    ]


def minute_bars(symbol: str = "SPY") -> list[Bar]:
    """Four regular sessions of October 2013."""
    with minutes_of(symbol).open() as file:
        rows = list(csv.DictReader(file))
    bars = [
        a_bar(
            datetime.fromisoformat(row["timestamp"]),
            (row["open"], row["high"], row["low"], row["close"]),
            row["volume"],
            Symbol(symbol),
        )
        for row in rows
    ]
    return [bar for bar in bars if time(13, 30) <= bar.start.time() < time(20)]


def session_of(bar: Bar) -> Session:
    day = bar.start.astimezone(NEW_YORK).date()
    opened = datetime.combine(day, time(9, 30), NEW_YORK).astimezone(UTC)
    return Session(day, opened, opened + timedelta(hours=6, minutes=30))


def series(least: int = 1, most: int = 80) -> st.SearchStrategy[list[Bar]]:
    """Minutes that stand still, move by cents, or jump."""
    return st.builds(_series, st.randoms(use_true_random=True), st.integers(least, most))


def _series(chance: Random, count: int) -> list[Bar]:
    bars = []
    close = chance.randint(2_000, 20_000)
    for minute in range(count):
        opened, most = close, chance.choice((0, 1, 20, 20, 900, 900))
        close = max(100, close + chance.randint(-most, most))
        high = max(opened, close) + chance.randint(0, 30)
        low = min(opened, close) - chance.randint(0, 30)
        prices = [Price(Decimal(cents).scaleb(-2)) for cents in (opened, high, low, close)]
        volume = Quantity(Decimal(chance.choice((0, chance.randint(0, 500_000)))))
        bars.append(Bar(SPY, OPEN + timedelta(minutes=minute), prices[0], prices[1], prices[2], prices[3], volume))
    return bars


def a_context(bar: Bar) -> Context:
    """A day on which everything may be opened, over night too."""
    session = session_of(bar)
    return Context(
        session=session, windows=((session.open, session.close),), flat_from=session.close,
        entries_allowed=1000, venue=XNYS, risk_per_trade=Money(Decimal(100)), max_notional=Money(Decimal(5000)),
    )  # fmt: skip


class Trader:
    """Shows a strategy its bars and fills whatever it says at once, at its own price."""

    def __init__(self, strategy: Strategy) -> None:
        self.strategy = strategy
        self.entries: list[EntrySignal] = []
        self.exits: list[ExitSignal] = []
        self.reasons: Counter[str] = Counter()
        self.held, self.price, self.since = NO_SHARES, Price(Decimal(0)), OPEN

    def shows(self, bars: Iterable[Bar], **told: object) -> Answer:
        answer: Answer = NoTrade(NoTradeReason.DISABLED)
        for bar in bars:
            context = a_context(bar)
            if self.held:
                context.held, context.entry_price, context.entered_at = self.held, self.price, self.since
            for name, value in told.items():
                setattr(context, name, value)
            answer = self.strategy.on_bar(bar, context)
            assert isinstance(answer, NoTrade) or fault_in(answer, self.strategy.name, bar, self.held) is None
            self._book(answer, bar)
        return answer

    def _book(self, answer: Answer, bar: Bar) -> None:
        if isinstance(answer, EntrySignal):
            self.entries.append(answer)
            self.held, self.price, self.since = answer.quantity, answer.limit_price, bar.end
        elif isinstance(answer, ExitSignal):
            self.exits.append(answer)
            self.held = Quantity(self.held - answer.quantity)
        else:
            self.reasons[answer.reason] += 1
