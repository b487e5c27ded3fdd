"""The slice of sizing inputs: ranges and closes of the symbols, the throttle, and each strategy's own trades."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from core.facts import BarClosed, HistoryLoaded, OrderFilled, PastDaysLoaded
from core.model.bar import Bar
from core.model.past_days import PastDays
from core.model.position import Ended
from core.model.regime import UNKNOWN, Regime
from core.model.sizing import WHOLE
from core.model.values import ZERO, Price, Symbol
from core.model.venues import HOME
from core.risk.protections.trades import ClosedTrade, closed, direction_of
from core.risk.size_factors.average_true_range import Ranges, RangesState
from core.risk.size_factors.base import Conditions, Edge
from core.risk.size_factors.losses import Losses, LossesState
from core.risk.size_factors.trend import may_cut
from core.risk.size_factors.vix import factor_of
from core.settings.size_factors import SizingSettings

KEPT_TRADES = 100
"""Newest trades kept per strategy."""


@dataclass(slots=True)
class SizingState:
    """`results` holds the profit ratios of each strategy's last closed trades."""

    ranges: RangesState = field(default_factory=RangesState)
    losses: LossesState = field(default_factory=LossesState)
    results: dict[str, list[Decimal]] = field(default_factory=dict)


class SizingBook:
    """The inputs of every size.

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
        self.ranges = Ranges(trading_day)
        self.losses = Losses()
        self.results: dict[str, list[Decimal]] = {}
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            **self.losses.folds,
            BarClosed: self._bar_closed,
            HistoryLoaded: self._history_taken,
            PastDaysLoaded: self._past_taken,
            OrderFilled: self._order_filled,
        }

    @property
    def is_calm(self) -> bool:
        """Return whether neither losses nor the market lower the risk of a trade."""
        regime, settings = self.regime(), self.settings()
        is_market_calm = factor_of(regime.vix, settings.vix) == WHOLE and not may_cut(regime.market, settings.trend)
        return is_market_calm and self.losses.state.factor == WHOLE

    @property
    def state(self) -> SizingState:
        return SizingState(self.ranges.state, self.losses.state, self.results)

    def restore(self, state: SizingState) -> None:
        self.ranges = Ranges(self.ranges.trading_day)
        self.ranges.state, self.losses.state, self.results = state.ranges, state.losses, state.results

    def _bar_closed(self, _at: datetime, fact: BarClosed) -> None:
        self.ranges.take(fact.bar, self.settings().atr.bars)

    def _history_taken(self, _at: datetime, fact: HistoryLoaded) -> None:
        """Feed the bars to the ranges, as to strategies."""
        self.take_history(fact.symbol, fact.bars)

    def _past_taken(self, _at: datetime, fact: PastDaysLoaded) -> None:
        self.take_past(fact.past)

    def _order_filled(self, _at: datetime, _fact: OrderFilled) -> None:
        if (over := self.ended()) is not None:
            self.take(closed(over.trade, direction_of(over)))

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
        settings, regime = self.settings(), self.regime()
        return Conditions(
            settings=settings,
            atr=self.ranges.atr(symbol, settings.atr.bars),
            vix=regime.vix,
            market=regime.market,
            held=self.ranges.likenesses(symbol, tuple(held), settings.correlation.days),
            throttle=self.losses.throttle,
            edge=self._edge(strategy),
            equity=equity,
            open_losses=open_losses,
        )

    def _edge(self, strategy: str) -> Edge:
        ratios = self.results.get(strategy, ())
        gains, losses = [r for r in ratios if r > 0], [-r for r in ratios if r <= 0]
        return Edge(len(ratios), len(gains), sum(gains, ZERO), sum(losses, ZERO))
