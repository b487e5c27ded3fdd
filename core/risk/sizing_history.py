"""The slice of sizing inputs: ranges and closes of the symbols, and the record of past trades."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

from core import facts
from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.order import Side
from core.model.position import Ended
from core.model.reference_data import PastDays
from core.model.rescaling import SAME, Rescaling
from core.model.session import HOME
from core.model.sizing import UNKNOWN, WHOLE, Regime
from core.model.sizing_terms import AtrTerms, CorrelationTerms, KellyTerms, SizingTerms, TrendTerms, VixTerms
from core.model.values import ZERO, Fraction, Price, Symbol
from core.risk.loss_throttle import Losses, LossesState
from core.risk.protections.closed_trades import ClosedTrade, Direction, closed, direction_of
from core.risk.sizing import Conditions, Edge, Likeness, correlation, factor_of, may_cut
from core.settings.risk import SizingSettings

LONG_WEEKEND = timedelta(days=5)
"""After a longer gap the symbol was not followed, and the move over the gap does not count."""
Held: TypeAlias = tuple[tuple[Symbol, bool], ...]
"""Symbols of the positions, and whether each is long."""
DAYS = 61
"""Number of closes kept: sixty daily returns."""


def sizing_terms(settings: SizingSettings) -> SizingTerms:
    """Return the terms of the settings."""
    atr, vix, trend = settings.atr, settings.vix, settings.trend
    like, kelly = settings.correlation, settings.kelly
    return SizingTerms(
        AtrTerms(atr.enabled, atr.multiple, atr.bars),
        VixTerms(vix.enabled, vix.elevated, vix.high),
        TrendTerms(trend.enabled, trend.against, trend.volatile),
        CorrelationTerms(like.enabled, like.limit, like.factor, like.days),
        KellyTerms(kelly.enabled, kelly.fraction, kelly.trade_limit),
        settings.budget,
        settings.raise_to_minimum,
    )


@dataclass(slots=True)
class Moves:
    """Moves of one symbol.

    Attributes
    ----------
    day
        The trading day of its last bar.
    average
        True range in USD: a plain average over the first bars, then with Wilder's smoothing.
    closes
        Of the days before `day`, oldest first.
    began
        The day of a spin-off, since which prices can be compared; None without one.
    """

    day: date
    close: Price
    bars: int = 0
    average: Decimal = ZERO
    closes: list[tuple[date, Price]] = field(default_factory=list)
    began: date | None = None

    def is_comparable(self, day: date) -> bool:
        """Whether prices of this day can be compared with those of today."""
        return self.began is None or day >= self.began


@dataclass(slots=True)
class RangesState:
    by_symbol: dict[Symbol, Moves] = field(default_factory=dict)


class Ranges:
    def __init__(self, trading_day: Callable[[datetime], date]) -> None:
        self.trading_day = trading_day
        self.state = RangesState()
        self._likeness: dict[tuple[Symbol, Symbol, int], tuple[Fraction | None, int]] = {}
        self._rows: dict[Symbol, tuple[tuple[Held, int], tuple[Likeness, ...]]] = {}

    def take(self, bar: Bar, over: int) -> None:
        """Add a minute; its true range starts at the close before, over a night or a weekend too."""
        moves, day = self.state.by_symbol.get(bar.symbol), self.trading_day(bar.start)
        high, low = bar.high, bar.low
        if moves is None:
            moves = self.state.by_symbol[bar.symbol] = Moves(day, bar.close)
        else:
            before = moves.close
            if day != moves.day:
                is_next = day - moves.day <= LONG_WEEKEND and moves.is_comparable(moves.day)
                before = before if is_next else bar.close
                if moves.is_comparable(moves.day):
                    moves.closes.append((moves.day, moves.close))
                    del moves.closes[:-DAYS]
                moves.day = day
                self._forget_likenesses()
            high, low = (before if before > high else high), (before if before < low else low)
        moves.close = bar.close
        moves.bars += 1
        count = moves.bars if moves.bars < over else over
        moves.average += (high - low - moves.average) / count

    def take_history(self, symbol: Symbol, bars: Iterable[Bar], over: int) -> None:
        """Take past bars up to the first live one; they replace the known ones if they are more."""
        past = Ranges(self.trading_day)
        for bar in bars:
            past.take(bar, over)
        told, known = past.state.by_symbol.get(symbol), self.state.by_symbol.get(symbol)
        if told is None:
            return
        if known is not None:
            told.began = known.began
            every = {**dict(told.closes), **dict(known.closes)}.items()
            told.closes = sorted((day, close) for day, close in every if told.is_comparable(day))[-DAYS:]
        if known is not None and known.bars > told.bars:
            known.closes = told.closes
        else:
            self.state.by_symbol[symbol] = told
        self._forget_likenesses()

    def take_past(self, past: PastDays, over: int) -> None:
        """Take closes of the days before today's, and the last day's final minutes if today had too few for a range."""
        closes = {each.day: each.close for each in past.days if each.close is not None}
        heard = Ranges(self.trading_day)
        for bar in past.minutes:
            heard.take(bar, over)
        told, known = heard.state.by_symbol.get(past.symbol), self.state.by_symbol.get(past.symbol)
        if told is None and closes:
            told = Moves(max(closes), closes[max(closes)])
        if told is None:
            return
        if known is None or known.day < told.day or (known.day == told.day and known.bars < told.bars):
            moves = self.state.by_symbol[past.symbol] = told
        else:
            moves = known
            if known.bars < over <= told.bars and known.day - told.day <= LONG_WEEKEND:
                moves.average = (told.average * (over - known.bars) + known.average * known.bars) / over
                moves.bars = over
        kept = {} if known is None else dict(known.closes)
        moves.began = None if known is None else known.began
        every = {**kept, **closes}.items()
        before = sorted((day, close) for day, close in every if day < moves.day and moves.is_comparable(day))
        moves.closes = before[-DAYS:]
        self._forget_likenesses()

    def rescale(self, symbol: Symbol, day: date, by: Rescaling) -> None:
        """Count what is of the days before a corporate action per share of after it.

        If minutes of its day were counted already, their first range is the jump itself: the average begins again. So
        it does on the day of a spin-off, whose value nobody knows yet, and closes of before count no more.
        """
        moves = self.state.by_symbol.get(symbol)
        if moves is None:
            return
        today = [(each, by.price(close) if each < day else close) for each, close in moves.closes]
        moves.closes = [(each, close) for each, close in today if close > 0]
        if by == SAME:
            moves.began, moves.bars, moves.average = day, 0, ZERO
            moves.closes = [(each, close) for each, close in moves.closes if each >= day]
        elif moves.day < day:
            moves.close, moves.average = by.price(moves.close), by.distance(moves.average)
        else:
            moves.bars, moves.average = 0, ZERO
        self._forget_likenesses()

    def atr(self, symbol: Symbol, over: int) -> Price | None:
        """Return the average true range, USD; None before it has that many bars."""
        moves = self.state.by_symbol.get(symbol)
        return Price(moves.average) if moves is not None and moves.bars >= over else None

    def likenesses(self, symbol: Symbol, held: Held, days: int) -> tuple[Likeness, ...]:
        """Return the correlation with each other held symbol, each of the newest `days` returns in common.

        Returns the same tuple while nothing changed, because every view reads it for each symbol.
        """
        asked = (held, days)
        if (known := self._rows.get(symbol)) is None or known[0] != asked:
            rows = tuple(self._row(symbol, other, days, is_long=long) for other, long in held if other != symbol)
            known = self._rows[symbol] = (asked, rows)
        return known[1]

    def _row(self, symbol: Symbol, other: Symbol, wanted: int, *, is_long: bool) -> Likeness:
        correlation, days = self.likeness(symbol, other, wanted)
        return Likeness(other, is_long, (correlation or Fraction(ZERO)) if days >= wanted else None, days)

    def _forget_likenesses(self) -> None:
        self._likeness.clear()
        self._rows.clear()

    def likeness(self, first: Symbol, second: Symbol, wanted: int) -> tuple[Fraction | None, int]:
        """Return the correlation of the newest daily returns that both have, and their number: `wanted` at most."""
        pair = (first, second) if first < second else (second, first)
        asked = (*pair, wanted)
        if asked not in self._likeness:
            self._likeness[asked] = self._measured(*asked)
        return self._likeness[asked]

    def _measured(self, first: Symbol, second: Symbol, wanted: int) -> tuple[Fraction | None, int]:
        closes = [dict(m.closes) if (m := self.state.by_symbol.get(s)) else {} for s in (first, second)]
        days = sorted(closes[0].keys() & closes[1].keys())[-wanted - 1 :]
        returns = [_returns([known[day] for day in days]) for known in closes]
        return correlation(*returns), len(returns[0])


def _returns(closes: list[Price]) -> list[Decimal]:
    return [after / before - 1 for before, after in pairwise(closes)]


KEPT_TRADES = 100
"""Newest trades kept per strategy."""


@dataclass(slots=True)
class SizingState:
    """`results` holds the profit ratios of each strategy's last closed trades."""

    ranges: RangesState = field(default_factory=RangesState)
    losses: LossesState = field(default_factory=LossesState)
    results: dict[str, list[Decimal]] = field(default_factory=dict)


class SizingBook:
    """The slice of sizing inputs: ranges and closes of the symbols, the throttle, and each strategy's own trades.

    The inputs of every size.

    Parameters
    ----------
    settings
        Read at each bar and each size.
    regime
        The desk's last recorded measure of the market; read at each size (RK-19).
    trading_day
        The trading day of an instant, by the venue's clock.
    ended
        The trade that the current fill closed.
    """

    name = "sizing"

    def __init__(
        self,
        settings: Callable[[], SizingSettings] = SizingSettings,
        regime: Callable[[], Regime] = lambda: UNKNOWN,
        trading_day: Callable[[datetime], date] = HOME.day_of,
        ended: Callable[[], Ended | None] = lambda: None,
    ) -> None:
        self.settings = settings
        self.regime = regime
        self.ended = ended
        self._read = settings()
        self._known = sizing_terms(self._read)
        self.ranges = Ranges(trading_day)
        self.losses = Losses()
        self.results: dict[str, list[Decimal]] = {}
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            **self.losses.folds,
            facts.BarClosed: self._bar_closed,
            facts.HistoryLoaded: self._history_taken,
            facts.PastDaysLoaded: self._past_taken,
            facts.OrderFilled: self._order_filled,
            facts.FillReversed: self._fill_reversed,
            facts.CorporateActionApplied: self._split,
        }

    @property
    def is_calm(self) -> bool:
        """Return whether neither losses nor the market lower the risk of a trade."""
        regime, terms = self.regime(), self._terms()
        is_market_calm = factor_of(regime.vix, terms.vix) == WHOLE and not may_cut(regime.market, terms.trend)
        return is_market_calm and self.losses.state.factor == WHOLE

    @property
    def state(self) -> SizingState:
        return SizingState(self.ranges.state, self.losses.state, self.results)

    def restore(self, state: SizingState) -> None:
        self.ranges = Ranges(self.ranges.trading_day)
        self.ranges.state, self.losses.state, self.results = state.ranges, state.losses, state.results

    def _bar_closed(self, _at: datetime, fact: facts.BarClosed) -> None:
        self.ranges.take(fact.bar, self.settings().atr.bars)

    def _history_taken(self, _at: datetime, fact: facts.HistoryLoaded) -> None:
        """Feed the bars to the ranges, as to strategies."""
        self.take_history(fact.symbol, fact.bars)

    def _past_taken(self, _at: datetime, fact: facts.PastDaysLoaded) -> None:
        self.take_past(fact.past)

    def _order_filled(self, _at: datetime, _fact: facts.OrderFilled) -> None:
        if (over := self.ended()) is not None:
            self.take(closed(over.trade, direction_of(over)))

    def _fill_reversed(self, _at: datetime, fact: facts.FillReversed) -> None:
        """Drop the trade that is open again, or take its corrected profit."""
        if fact.undone is None:
            return
        direction = Direction.LONG if (fact.side is Side.SELL) is fact.is_of_an_exit else Direction.SHORT
        ratios = self.results.get(fact.undone.strategy, [])
        ratio = closed(fact.undone, direction).ratio
        if ratio in ratios:
            last = len(ratios) - 1 - ratios[::-1].index(ratio)
            ratios[last : last + 1] = [] if fact.corrected is None else [closed(fact.corrected, direction).ratio]

    def _split(self, _at: datetime, fact: facts.CorporateActionApplied) -> None:
        if fact.moves_prices:
            self.ranges.rescale(fact.symbol, fact.day, fact.rescaling)

    def take_history(self, symbol: Symbol, bars: Iterable[Bar]) -> None:
        self.ranges.take_history(symbol, bars, self.settings().atr.bars)

    def take_past(self, past: PastDays) -> None:
        self.ranges.take_past(past, self.settings().atr.bars)

    def average_range(self, symbol: Symbol) -> Price | None:
        """Return the average true range of its minutes (ATR), USD."""
        return self.ranges.atr(symbol, self.settings().atr.bars)

    def take(self, trade: ClosedTrade) -> None:
        ratios = self.results.setdefault(trade.strategy, [])
        ratios.append(trade.ratio)
        del ratios[:-KEPT_TRADES]

    def conditions(
        self,
        symbol: Symbol,
        strategy: str,
        *,
        held: Iterable[tuple[Symbol, bool]],
        equity: Decimal | None,
        open_losses: Decimal,
    ) -> Conditions:
        """Return the conditions for an order in `symbol`.

        `held` are the positions' symbols, and whether each is long.
        """
        regime = self.regime()
        atr, likenesses = self.of_symbol(symbol, tuple(held))
        return Conditions(
            settings=self._terms(),
            atr=atr,
            vix=regime.vix,
            market=regime.market,
            held=likenesses,
            throttle=self.losses.throttle,
            edge=self._edge(strategy),
            equity=equity,
            open_losses=open_losses,
        )

    def of_symbol(self, symbol: Symbol, held: Held) -> tuple[Price | None, tuple[Likeness, ...]]:
        """Return what differs between symbols: the average true range in USD, and the correlations with those held."""
        atr, like = self.settings().atr, self.settings().correlation
        return self.ranges.atr(symbol, atr.bars), self.ranges.likenesses(symbol, held, like.days)

    def _terms(self) -> SizingTerms:
        """Return the terms of the settings; a hash of the settings at each size would take longer than the size."""
        settings = self.settings()
        if self._read is not settings:
            self._read, self._known = settings, sizing_terms(settings)
        return self._known

    def _edge(self, strategy: str) -> Edge:
        ratios = self.results.get(strategy, ())
        gains, losses = [r for r in ratios if r > 0], [-r for r in ratios if r <= 0]
        return Edge(len(ratios), len(gains), sum(gains, ZERO), sum(losses, ZERO))
