"""Build the chart of a watched symbol: the session's complete bars with VWAP, our fills, entries and stops.

Nothing is kept and a bar costs nothing until a chart is opened for the first time. Then the day is read once from the
journal's end, and from there on every bar of traded symbols is collected. The journal has no bars of symbols that are
only watched: their minutes are collected from the first look on, while the symbol is among the last ones shown. The
market's history adds today's missing minutes and earlier sessions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core.facts import BarClosed, Fact, OrderFilled
from core.model.bar import ONE_MINUTE, Bar
from core.model.values import Symbol
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import traded_symbols
from core.views import ChartBar, ChartFill, ChartView, PositionRow
from core.views.results import ChartPast, DayVwap, Past, nothing_before

LOOKED_AT = 16
"""Untraded symbols whose minutes are kept: a session of one takes less than half a megabyte."""
SILENCE = timedelta(minutes=5)
"""Gap after which minutes may be missing here: history is requested again."""


@dataclass(slots=True)
class VwapLine:
    """One symbol's day as collected; history is not needed from `heard_from` on."""

    day: date
    heard_from: datetime
    vwap: DayVwap = field(default_factory=DayVwap)
    bars: tuple[ChartBar, ...] = ()
    past: ChartPast | None = None

    @property
    def heard_to(self) -> datetime:
        return max(self.heard_from, self.bars[-1].start + ONE_MINUTE) if self.bars else self.heard_from

    def joined(self, past: ChartPast, at: datetime) -> VwapLine:
        """Return the line with the missing complete minutes inserted; VWAP is computed again."""
        heard = {bar.start for bar in self.bars}
        made = VwapLine(self.day, self.heard_from, past=past)
        missed = [bar for bar in past.minutes if bar.start not in heard and bar.end <= at]
        both: list[Bar | ChartBar] = [*self.bars, *missed]
        for bar in sorted(both, key=lambda bar: bar.start):
            made.take(bar)
        return made

    def take(self, bar: Bar | ChartBar) -> None:
        """Append the next bar with VWAP; skip a bar that history provided."""
        if self.bars and bar.start <= self.bars[-1].start:
            return
        self.vwap.take(bar)
        self.bars += (ChartBar(bar.start, bar.open, bar.high, bar.low, bar.close, self.vwap.price(), bar.volume),)


class Charts:
    """Keeps the day of traded symbols and of those last shown, from the first look on."""

    def __init__(self, state: TradingState, past: Past = nothing_before) -> None:
        self.state = state
        self._past = past
        self._lines: dict[Symbol, VwapLine] = {}
        self._fills: dict[Symbol, tuple[ChartFill, ...]] = {}
        self._looked_at: dict[Symbol, None] = {}
        self.has_begun = False

    def draw(self, symbol: Symbol | None, at: datetime, positions: Iterable[PositionRow]) -> ChartView | None:
        if symbol is None:
            return None
        self._look_at(symbol)
        today = self.state.calendar.trading_day(at)
        line = self._line(symbol, at)
        past = self._past(symbol, today, line.heard_from)
        if past is not None and past is not line.past:
            line = self._lines[symbol] = line.joined(past, at)
        held = [row for row in positions if row.symbol == symbol]
        day_of = self.state.calendar.trading_day
        return ChartView(
            symbol=symbol,
            bars=line.bars,
            entries=tuple(dict.fromkeys(row.average_price for row in held)),
            stops=tuple(dict.fromkeys(row.standing_stop for row in held if row.standing_stop is not None)),
            fills=tuple(fill for fill in self._fills.get(symbol, ()) if day_of(fill.at) == today),
            hours=() if line.past is None else line.past.hours,
            days=() if line.past is None else line.past.days,
        )

    def begin(self, at: datetime) -> None:
        """Listen to bars from now on, and read the day from the journal. Raises JournalError, OSError."""
        self.has_begun = True
        self.state.add_bar_listener(self._hear_bar)
        self.state.add_watcher(self._hear_watched_bar)
        self.state.add_listener(self._hear)
        day_of = self.state.calendar.trading_day
        today, found = day_of(at), list[Fact]()
        for recorded in self.state.journal.backwards():
            if day_of(recorded.at) != today:
                break
            if isinstance(recorded.fact, BarClosed | OrderFilled):
                found.append(recorded.fact)
        for fact in reversed(found):
            if isinstance(fact, BarClosed):
                if day_of(fact.bar.start) == today:
                    self._line(fact.bar.symbol, at).take(fact.bar)
            elif isinstance(fact, OrderFilled):
                self._hear_fill(fact)

    def _look_at(self, symbol: Symbol) -> None:
        """Note the symbol as the newest; forget an untraded one beyond the limit."""
        self._looked_at.pop(symbol, None)
        self._looked_at[symbol] = None
        while len(self._looked_at) > LOOKED_AT:
            oldest = next(iter(self._looked_at))
            del self._looked_at[oldest]
            if oldest not in traded_symbols(self.state):
                self._lines.pop(oldest, None)

    def _hear_bar(self, bar: Bar) -> None:
        line = self._line(bar.symbol, bar.start)
        if bar.start - line.heard_to > SILENCE:
            line.heard_from = bar.start
        line.take(bar)

    def _hear_watched_bar(self, bar: Bar) -> None:
        """Append a watched bar. A line that misses a bar is dropped, and the next look requests history."""
        if bar.symbol in self._looked_at:
            self._hear_bar(bar)
        else:
            self._lines.pop(bar.symbol, None)

    def _hear(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, OrderFilled):
            self._hear_fill(fact)

    def _hear_fill(self, fact: OrderFilled) -> None:
        order, fill = self.state.ledger.order(fact.fill.client_order_id), fact.fill
        if order is not None:
            symbol, day_of = order.request.symbol, self.state.calendar.trading_day
            kept = (each for each in self._fills.get(symbol, ()) if day_of(each.at) == day_of(fill.at))
            self._fills[symbol] = (*kept, ChartFill(fill.at, order.request.side, fill.price))

    def _line(self, symbol: Symbol, at: datetime) -> VwapLine:
        """Return the line of that day; a new one starts at that time."""
        day, line = self.state.calendar.trading_day(at), self._lines.get(symbol)
        if line is None or line.day < day:
            line = self._lines[symbol] = VwapLine(day, at)
        return line
