"""The base of strategies with a plan: the order of their answers, a plan for each entry, and its end (ST-04).

A subclass defines three things: its measures of a bar, when they allow an entry, and when a position has lost its
reason. The plan is its own, by average true ranges, or a recommendation that the operator adopted, unchanged.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.recommendation import Recommendation
from core.model.signal import Answer, EntrySignal, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import SUB_PENNY, ZERO, Price, Quantity, rounded_down
from core.risk.size_factors.base import WantedEntry
from core.risk.sizing import size_of
from core.settings.strategies import TradePlanSettings
from core.strategies.answers import WARMING_UP, ZERO_SIZE, leaving, not_now, shut, text
from core.strategies.base import Figures
from core.strategies.context import Context
from core.strategies.indicators import AverageRange

NO_RECOMMENDATION = NoTrade(NoTradeReason.NO_RECOMMENDATION)
INVALID = NoTrade(NoTradeReason.RECOMMENDATION_INVALID)
EXPIRED = NoTrade(NoTradeReason.RECOMMENDATION_EXPIRED)
AWAY = NoTrade(NoTradeReason.RECOMMENDATION_AWAY)
CONTRADICTED = NoTrade(NoTradeReason.RECOMMENDATION_CONTRADICTED)


@dataclass(slots=True)
class TradePlan:
    """The planned exits of the last entry signal, USD.

    `level` is its entry level; None for an adopted recommendation.
    """

    stop: Price
    target: Price | None
    level: Decimal | None = None


@dataclass(slots=True)
class TradePlanState:
    """The average true range of the bars, and the plan of the last entry; None before the first."""

    ranges: AverageRange
    plan: TradePlan | None = None


@dataclass(frozen=True, slots=True)
class Setup:
    """The reason for an entry: text, reference figure (USD), and confidence if the strategy rates it."""

    words: str
    reference: Decimal
    confidence: Decimal | None = None


class TradePlanStrategy(ABC):
    """The order in which such a strategy answers."""

    name: str
    state: Any
    terms: TradePlanSettings

    @abstractmethod
    def _take(self, bar: Bar) -> None:
        """Fold the bar into the state, in any case."""

    @property
    @abstractmethod
    def _is_warm(self) -> bool:
        """Whether every window is full."""

    @abstractmethod
    def _setup(self, bar: Bar) -> Setup | NoTrade:
        """Return the setup of an entry on this bar, or why there is none; called on a warm strategy."""

    @abstractmethod
    def _contradicts(self, bar: Bar) -> bool:
        """Return whether its measures contradict a recommended entry."""

    @abstractmethod
    def _reason_to_leave(self, bar: Bar, context: Context) -> tuple[ExitReason, str] | None:
        """Return why a position has lost its reason, apart from stop and target."""

    @abstractmethod
    def figures(self, day: date) -> Figures:
        """Return its figures for display."""

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        """Answer with exits first, in any state; then the reasons not to enter; then the entry."""
        self._take(bar)
        if context.held > ZERO and (exit_signal := self._exit(bar, context)):
            return exit_signal
        if refusal := shut(context, self.terms.enabled):
            return refusal
        if not self._is_warm:
            return WARMING_UP
        if refusal := not_now(bar, context):
            return refusal
        if context.recommendation is not None:
            return self._recommended(bar, context.recommendation)
        if self.terms.requires_recommendation:
            return NO_RECOMMENDATION
        setup = self._setup(bar)
        return setup if isinstance(setup, NoTrade) else self._entry(bar, context, setup)

    # ── entries ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _recommended(self, bar: Bar, advice: Recommendation) -> Answer:
        """Return the adopted recommendation unchanged, or the reason against it."""
        if (advice.strategy, advice.symbol) != (self.name, bar.symbol) or not advice.is_sound:
            return INVALID
        if bar.end > advice.expires_at:
            return EXPIRED
        if abs(advice.entry - bar.close) > self.terms.price_tolerance * bar.close:
            return AWAY
        if self._contradicts(bar):
            return CONTRADICTED
        setup = Setup(f"recommended by {advice.source}, adopted by the operator", bar.close)
        return self._signal(bar, advice.entry, TradePlan(advice.stop, advice.target), advice.quantity, setup)

    def _entry(self, bar: Bar, context: Context, setup: Setup) -> Answer:
        terms, average = self.terms, self.state.ranges.value
        limit = Price(rounded_down(bar.close, STOCK_TICKS.at(bar.close)))
        way = ZERO if average is None else average * terms.stop_ranges
        stop = STOCK_TICKS.nearest(limit - way)
        if not ZERO < stop < limit:
            return ZERO_SIZE
        target = STOCK_TICKS.nearest(limit + average * terms.target_ranges) if average and terms.target_ranges else None
        wanted = WantedEntry(
            risk=context.risk_per_trade,
            price=limit,
            way=way,
            max_notional=context.max_notional,
            step=terms.quantity_step,
            least=context.min_notional,
        )
        quantity = size_of(wanted, context.conditions()).quantity
        if quantity <= ZERO:
            return ZERO_SIZE
        return self._signal(
            bar, limit, TradePlan(stop, None if target == limit else target, setup.reference), quantity, setup
        )

    def _signal(self, bar: Bar, limit: Price, plan: TradePlan, quantity: Quantity, setup: Setup) -> EntrySignal:
        self.state.plan = plan
        return EntrySignal(
            strategy=self.name,
            symbol=bar.symbol,
            bar_start=bar.start,
            limit_price=limit,
            stop_price=plan.stop,
            stop_holder=self.terms.stop_holder,
            quantity=quantity,
            reference=Price(setup.reference.quantize(SUB_PENNY)),
            reason=setup.words,
            target_price=plan.target,
            confidence=setup.confidence,
        )

    # ── exits ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _exit(self, bar: Bar, context: Context) -> ExitSignal | None:
        """Check the stop first, then the close of the day, the target, and the strategy's own reason.

        The stop rule sells only shares without an exit at the broker; the others sell all.
        """
        plan, close = self.state.plan, bar.close
        uncovered = Quantity(context.held - context.covered)
        if plan is not None and uncovered > ZERO and close <= plan.stop:
            words = f"close {text(close)} is at the stop {text(plan.stop)}"
            return self._leave(bar, uncovered, (ExitReason.STOP_LOSS, words))
        why = self._reason_for_all(bar, context, plan)
        return None if why is None else self._leave(bar, context.held, why)

    def _reason_for_all(self, bar: Bar, context: Context, plan: TradePlan | None) -> tuple[ExitReason, str] | None:
        if bar.start >= context.flat_from:
            venue = context.venue
            flat, closes = f"{venue.local(context.flat_from):%H:%M}", venue.told(context.session.close)
            return ExitReason.FORCE_FLAT, f"flat from the bar of {flat}, the market closes at {closes}"
        if plan is not None and plan.target is not None and bar.close >= plan.target:
            return ExitReason.TAKE_PROFIT, f"close {text(bar.close)} is at the target {text(plan.target)}"
        return self._reason_to_leave(bar, context)

    def _leave(self, bar: Bar, quantity: Quantity, why: tuple[ExitReason, str]) -> ExitSignal:
        reference = None if self.state.plan is None else self.state.plan.level
        return leaving(self.name, bar, quantity, why, reference)
