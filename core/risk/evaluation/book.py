"""The slice of the evaluation: each strategy's recent trades, suspensions with their reasons, and proposals.

It folds trades, measurements of the VIX and its own verdicts (ST-10). A nightly run reads only the window's trades.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.facts import (
    DayStarted,
    OrderFilled,
    PositionChanged,
    PromotionDecided,
    PromotionProposed,
    RegimeMeasured,
    StrategiesEvaluated,
    StrategyReinstated,
    StrategySuspended,
)
from core.model.evaluation import Evaluated, EvaluationFigures, SuspensionCause
from core.model.position import Ended, Trade
from core.model.regime import MarketMeasure, Regime, VixReading
from core.model.values import ZERO, Fraction
from core.risk.evaluation.figures import Result, figures_of
from core.risk.regime.vix import CLOSES
from core.settings.evaluation import EvaluationSettings

EVERY = ""
"""Means every strategy."""
RESUMED = frozenset({SuspensionCause.RETIRED, SuspensionCause.REGIME})
"""Causes that only the operator ends; the others end by themselves."""


@dataclass(frozen=True, slots=True)
class Suspension:
    """A strategy may not open, in one regime if `scope` names one; `until` is None if no time ends it."""

    strategy: str
    cause: SuspensionCause
    scope: str
    reason: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Proposed:
    """A larger allocation, for the operator to adopt or decline."""

    step: Fraction
    reason: str
    at: datetime


@dataclass(slots=True)
class EvaluationRecord:
    """The record of one strategy.

    `results` holds the trades of the window, oldest first. `decided_on` is the day of the operator's last decision on a
    larger allocation.
    """

    began_on: date
    results: list[Result] = field(default_factory=list)
    losses_in_a_row: int = 0
    decided_on: date | None = None


@dataclass(slots=True)
class EvaluationState:
    """State of the evaluation of all strategies.

    `entered_in` holds the regime in which each open position was opened, by `SYMBOL/strategy`. `days` holds the trading
    days of the window on which the desk ran, `last` each strategy's last evaluation.
    """

    records: dict[str, EvaluationRecord] = field(default_factory=dict)
    entered_in: dict[str, str] = field(default_factory=dict)
    days: list[date] = field(default_factory=list)
    vix: list[tuple[date, Decimal]] = field(default_factory=list)
    shut: dict[str, Suspension] = field(default_factory=dict)
    proposed: dict[str, Proposed] = field(default_factory=dict)
    last: dict[str, Evaluated] = field(default_factory=dict)
    evaluated_on: date | None = None


class EvaluationBook:
    """Folds trades and verdicts of the evaluation.

    Parameters
    ----------
    regime
        The current market regime.
    day_of
        The trading day of an instant.
    ended
        The trade of a strategy that the current fill closed.
    """

    name = "evaluation"

    def __init__(
        self,
        terms: Callable[[], EvaluationSettings],
        regime: Callable[[], Regime],
        day_of: Callable[[datetime], date],
        ended: Callable[[], Ended | None] = lambda: None,
    ) -> None:
        self.terms = terms
        self.regime = regime
        self.day_of = day_of
        self.ended = ended
        self.state = EvaluationState()
        self.folds = {
            OrderFilled: self._order_filled,
            DayStarted: self._day_started,
            PositionChanged: self._position_changed,
            RegimeMeasured: self._measured,
            StrategySuspended: self._shut,
            StrategyReinstated: self._opened,
            PromotionProposed: self._proposed,
            PromotionDecided: self._decided,
            StrategiesEvaluated: self._evaluated,
        }

    def restore(self, state: EvaluationState) -> None:
        self.state = state

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────

    def shut(self, strategy: str, at: datetime) -> Suspension | None:
        """Return the suspension that blocks a strategy's entries now; a retirement comes before temporary ones."""
        now_in = label_of(self.regime())
        found = [
            shut
            for shut in self.state.shut.values()
            if shut.strategy in (strategy, EVERY)
            and (shut.until is None or at < shut.until)
            and (shut.cause is not SuspensionCause.REGIME or shut.scope == now_in)
        ]
        return min(found, key=lambda shut: [*SuspensionCause].index(shut.cause), default=None)

    def shuts_of(self, strategy: str) -> Iterator[Suspension]:
        """Return every recorded suspension of a strategy, also those without effect in the current regime."""
        return (shut for shut in self.state.shut.values() if shut.strategy in (strategy, EVERY))

    def is_retired(self, strategy: str) -> bool:
        return key_of(strategy, SuspensionCause.RETIRED, "") in self.state.shut

    def is_due(self, strategy: str, day: date) -> bool:
        """Return whether it has traded long enough to be evaluated, and is not retired already."""
        record = self.state.records.get(strategy)
        is_old = record is not None and (day - record.began_on).days >= self.terms().least_days
        return is_old and not self.is_retired(strategy)

    def since(self, strategy: str, day: date) -> date:
        """Return the first day that counts on the night of `day`."""
        return max(self.state.records[strategy].began_on, day - timedelta(days=self.terms().window_days - 1))

    def figures(self, strategy: str, day: date) -> EvaluationFigures:
        """Return the figures on the night of `day`.

        Days on which the desk did not run do not count as days without a result.
        """
        record, since = self.state.records[strategy], self.since(strategy, day)
        counted = [each for each in self.state.days if since <= each <= day]
        return figures_of(record.results, since, counted, record.losses_in_a_row, self.terms().least_trades)

    def lost_since(self, strategy: str, monday: date) -> Decimal:
        """Sum the losses of its trades that ended since Monday, USD; below zero is a gain."""
        record = self.state.records.get(strategy)
        return -sum((r.profit for r in record.results if r.day >= monday), ZERO) if record is not None else ZERO

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, trade: Trade) -> None:
        """Add a closed trade. Times never go back: a late one counts on the newest day."""
        day = self.day_of(trade.exit_time)
        record = self.state.records.setdefault(trade.strategy, EvaluationRecord(day))
        if record.results:
            day = max(day, record.results[-1].day)
        regime = self.state.entered_in.get(f"{trade.symbol}/{trade.strategy}", "")
        record.results.append(Result(day, trade.profit, regime, trade.is_failed))
        if not trade.is_failed:
            record.losses_in_a_row = record.losses_in_a_row + 1 if trade.profit < ZERO else 0
        oldest = day - timedelta(days=self.terms().window_days - 1)
        while record.results[0].day < oldest:
            del record.results[0]

    def _order_filled(self, _at: datetime, _fact: OrderFilled) -> None:
        if (over := self.ended()) is not None:
            self.take(over.trade)

    def _day_started(self, _at: datetime, fact: DayStarted) -> None:
        if fact.day in self.state.days:
            return
        oldest = fact.day - timedelta(days=self.terms().window_days - 1)
        self.state.days = [*(day for day in self.state.days if day >= oldest), fact.day]

    def _position_changed(self, _at: datetime, fact: PositionChanged) -> None:
        key = f"{fact.symbol}/{fact.strategy}"
        if fact.quantity:
            self.state.entered_in.setdefault(key, label_of(self.regime()))
        else:
            self.state.entered_in.pop(key, None)

    def _measured(self, _at: datetime, fact: RegimeMeasured) -> None:
        """Keep the closes of the measured history; without one, keep one value per day."""
        vix = fact.regime.vix
        if not isinstance(vix, VixReading):
            return
        if vix.closes:
            self.state.vix = [(close.day, close.value) for close in vix.closes]
            return
        kept = [(day, value) for day, value in self.state.vix if day < vix.measured_on]
        self.state.vix = [*kept[-(CLOSES - 1) :], (vix.measured_on, vix.value)]

    def _shut(self, at: datetime, fact: StrategySuspended) -> None:
        shut = Suspension(fact.strategy, fact.cause, fact.scope, fact.reason, at, fact.until)
        self.state.shut[key_of(fact.strategy, fact.cause, fact.scope)] = shut
        if fact.cause is SuspensionCause.RETIRED:
            self.state.proposed.pop(fact.strategy, None)

    def _opened(self, at: datetime, fact: StrategyReinstated) -> None:
        """Restart the evaluation after the operator resumes: earlier results no longer count, in that regime
        or in all.
        """
        self.state.shut.pop(key_of(fact.strategy, fact.cause, fact.scope), None)
        record = self.state.records.get(fact.strategy)
        if record is None:
            return
        if fact.cause is SuspensionCause.RETIRED:
            self.state.records[fact.strategy] = EvaluationRecord(self.day_of(at))
        if fact.cause is SuspensionCause.REGIME:
            record.results = [replace(r, regime="") if r.regime == fact.scope else r for r in record.results]

    def _proposed(self, at: datetime, fact: PromotionProposed) -> None:
        self.state.proposed[fact.strategy] = Proposed(fact.step, fact.reason, at)

    def _decided(self, at: datetime, fact: PromotionDecided) -> None:
        self.state.proposed.pop(fact.strategy, None)
        record = self.state.records.get(fact.strategy)
        if record is not None:
            record.decided_on = self.day_of(at)

    def _evaluated(self, _at: datetime, fact: StrategiesEvaluated) -> None:
        self.state.evaluated_on = fact.day
        self.state.last = {**self.state.last, **{each.strategy: each for each in fact.results}}


def label_of(regime: Regime) -> str:
    """Return a label such as `up, calm`; empty if the market's labels are not known."""
    market = regime.market
    if not isinstance(market, MarketMeasure) or market.trend is None or market.volatility is None:
        return ""
    return f"{market.trend.value}, {market.volatility.value}"


def key_of(strategy: str, cause: SuspensionCause, scope: str) -> str:
    return f"{strategy}/{cause.value}/{scope}"
