"""The watched symbol's chart: the session's complete bars with VWAP at each, our fills, entry and stop of what is held.

Until a symbol is watched for the first time nothing is kept and a bar costs nothing. Then the day is read once from the
journal's end, and from there on every bar is heard. What the journal does not have of today, and the sessions before
it, the market's history adds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from core.facts import BarClosed, Fact, OrderFilled
from core.model.bar import Bar
from core.model.values import SUB_PENNY, Price, Symbol
from core.strategies.vwap import VwapState
from core.trading_state.state import TradingState
from core.views import ChartBar, ChartFill, ChartView, PositionRow
from core.views.chart_past import ChartPast, Past, nothing_before


@dataclass(slots=True)
class VwapLine:
    """One symbol's day as far as it was heard."""

    day: date
    measured: VwapState = field(default_factory=VwapState)
    bars: tuple[ChartBar, ...] = ()
    fills: tuple[ChartFill, ...] = ()
    past: ChartPast | None = None

    def joined(self, past: ChartPast) -> VwapLine:
        """With the minutes that were not heard, each in its place; the measure is worked out anew."""
        heard = {bar.start for bar in self.bars}
        made = VwapLine(self.day, fills=self.fills, past=past)
        missed = [bar for bar in past.minutes if bar.start not in heard]
        both: list[Bar | ChartBar] = [*self.bars, *missed]
        for bar in sorted(both, key=lambda bar: bar.start):
            made.take(bar)
        return made

    def take(self, bar: Bar | ChartBar) -> None:
        """The bar, and VWAP with it, as the strategy works it out."""
        measured = self.measured
        measured.volume += bar.volume
        measured.weighted += (bar.high + bar.low + bar.close) * bar.volume
        vwap = measured.vwap
        reference = None if vwap is None else Price(vwap.quantize(SUB_PENNY))
        self.bars += (ChartBar(bar.start, bar.open, bar.high, bar.low, bar.close, reference, bar.volume),)


class Charts:
    """Keeps the day of every symbol from the first look on."""

    def __init__(self, state: TradingState, past: Past = nothing_before) -> None:
        self.state = state
        self._past = past
        self._lines: dict[Symbol, VwapLine] = {}
        self.has_begun = False

    def draw(self, symbol: Symbol | None, at: datetime, positions: Iterable[PositionRow]) -> ChartView | None:
        if symbol is None:
            return None
        today = self.state.calendar.trading_day(at)
        line = self._lines.get(symbol)
        if line is None or line.day != today:
            line = VwapLine(today)
        past = self._past(symbol, today)
        if past is not None and past is not line.past:
            line = self._lines[symbol] = line.joined(past)
        held = next((row for row in positions if row.symbol == symbol), None)
        return ChartView(
            symbol=symbol,
            bars=line.bars,
            entry=held.average_price if held else None,
            stop=held.standing_stop if held else None,
            fills=line.fills,
            hours=() if line.past is None else line.past.hours,
            days=() if line.past is None else line.past.days,
        )

    def begin(self, at: datetime) -> None:
        """Hear of bars from here on, and read what the journal has of the day. Raises JournalError, OSError."""
        self.has_begun = True
        self.state.add_bar_listener(self._hear_bar)
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
                self._hear_bar(fact.bar)
            elif isinstance(fact, OrderFilled):
                self._hear_fill(fact)

    def _hear_bar(self, bar: Bar) -> None:
        self._line(bar.symbol, bar.start).take(bar)

    def _hear(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, OrderFilled):
            self._hear_fill(fact)

    def _hear_fill(self, fact: OrderFilled) -> None:
        order, fill = self.state.ledger.order(fact.fill.client_order_id), fact.fill
        if order is not None:
            self._line(order.request.symbol, fill.at).fills += (ChartFill(fill.at, order.request.side, fill.price),)

    def _line(self, symbol: Symbol, at: datetime) -> VwapLine:
        day, line = self.state.calendar.trading_day(at), self._lines.get(symbol)
        if line is None or line.day < day:
            line = self._lines[symbol] = VwapLine(day)
        return line
