"""Checks of signals, and the base of strategies with a plan: the order of their answers, each plan and its end (ST-04).

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
from core.model.order import StopHolder
from core.model.recommendation import Recommendation
from core.model.signal import Answer, EntrySignal, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import SUB_PENNY, ZERO, Price, Quantity, plain, priced, rounded_down
from core.risk.sizing import WantedEntry, size_of
from core.settings.strategies import TradePlanSettings
from core.strategies.base import WARMING_UP, ZERO_SIZE, Context, Figures, leaving, not_now, shut, text
from core.strategies.indicators import AverageRange

# ── checks of a signal ───────────────────────────────────────────────────────────────────────────────────────────────
# Validation of a strategy's signals: a malformed one is never staged (EX-11).

LONGEST_REASON = 500
"""Characters of a proposal's reason."""


@dataclass(frozen=True, slots=True)
class SignalFault:
    """An invalid answer of a strategy process in place of a signal, as text."""

    words: str


class UnfitError(ValueError):
    """A user strategy cannot be built, or its answer or memory cannot be used; one line."""


def fault_in(answer: object, strategy: str, bar: Bar, held: Quantity) -> str | None:
    """Return the fault of a signal that `strategy` gave on `bar` while it held `held` shares; None if it is valid."""
    if isinstance(answer, SignalFault):
        return answer.words
    if not isinstance(answer, EntrySignal | ExitSignal):
        return f"it answered a {type(answer).__name__}"
    if odd := _of_another_kind(answer):
        return odd
    if (answer.strategy, answer.symbol, answer.bar_start) != (strategy, bar.symbol, bar.start):
        return f"it is signed {answer.strategy} {answer.symbol} {answer.bar_start}, and not by this bar"
    for name, number in _numbers(answer):
        if not isinstance(number, Decimal) or not number.is_finite() or number <= 0:
            return f"its {name} is {number}"
    if isinstance(answer, EntrySignal) and answer.stop_price >= answer.limit_price:
        return f"its stop {priced(answer.stop_price)} is not below its limit {priced(answer.limit_price)}"
    if (
        isinstance(answer, EntrySignal)
        and answer.target_price is not None
        and answer.target_price <= answer.limit_price
    ):
        return f"its target {priced(answer.target_price)} is not above its limit {priced(answer.limit_price)}"
    if isinstance(answer, EntrySignal) and answer.confidence is not None and not 0 <= answer.confidence <= 1:
        return f"its confidence {answer.confidence} is not within 0 to 1"
    if isinstance(answer, ExitSignal) and answer.quantity > abs(held):
        return f"it would leave with {plain(answer.quantity)} of {plain(abs(held))}"
    return None


def _of_another_kind(answer: EntrySignal | ExitSignal) -> str | None:
    """Return a fault of type: a value that could not be compared, or not be serialised."""
    if not isinstance(answer.reason, str) or len(answer.reason) > LONGEST_REASON or not _is_text(answer.reason):
        return f"its reason is no text of at most {LONGEST_REASON} characters"
    if isinstance(answer, ExitSignal) and not isinstance(answer.exit_reason, ExitReason):
        return "its exit_reason is no ExitReason"
    if isinstance(answer, EntrySignal) and not isinstance(answer.stop_holder, StopHolder):
        return "its stop_holder is no StopHolder"
    confidence = answer.confidence if isinstance(answer, EntrySignal) else None
    if confidence is not None and not (isinstance(confidence, Decimal) and confidence.is_finite()):
        return f"its confidence is {confidence}"
    return None


def _is_text(text: str) -> bool:
    """Return whether it can be encoded: half a surrogate pair cannot."""
    return text.isascii() or text.encode(errors="ignore").decode() == text


def _numbers(answer: EntrySignal | ExitSignal) -> tuple[tuple[str, object], ...]:
    common = (("quantity", answer.quantity), ("reference", answer.reference))
    if isinstance(answer, EntrySignal):
        target = () if answer.target_price is None else (("target", answer.target_price),)
        return (*common, ("limit", answer.limit_price), ("stop", answer.stop_price), *target)
    return (*common, ("intended price", answer.intended_price))


# ── the plan of a trade ──────────────────────────────────────────────────────────────────────────────────────────────

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
    """The order in which such a strategy answers.

    Without a recommendation the entry is a limit at the close. Its stop is `stop_ranges` and its target `target_ranges`
    average true ranges away, and its size follows RK-02 and RK-10. With `requires_recommendation` it does not enter:
    `NO_RECOMMENDATION`.

    With an adopted recommendation, entry, stop, target and quantity are the recommendation's, unchanged. It is not used
    if it is for another strategy or symbol, or its prices are out of order (`RECOMMENDATION_INVALID`). It is not used
    after its time (`RECOMMENDATION_EXPIRED`), or if its entry is more than `price_tolerance` from the close
    (`RECOMMENDATION_AWAY`), or against the strategy's own measures (`RECOMMENDATION_CONTRADICTED`).

    Exits come first, in any state: a close at the stop, then `flat_minutes` before the close of the day unless
    `holds_overnight`, then a close at the target, then the strategy's own reason.
    """

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
