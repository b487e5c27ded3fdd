"""The slices: each owns one part of the state, and all of them stand in one list.

A slice has a name (of its document), a state, the facts that it folds, and a way to take a saved state up. What it
needs of another it is given when it is made, as that slice or as a question that changes nothing; what follows in it
from what another folded is a fold of the same fact, later in the list. Nothing is assigned to a slice after that.

A new slice is a class of its own and a line in `Slices`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from core.advisers.book import AdviceBook
from core.execution.breaker import Breaker
from core.execution.latency import Latencies
from core.execution.ledger import Ledger
from core.execution.refusal_counts import RefusalCounts
from core.exits.watch import ExitWatch
from core.facts import BarClosed, Fact
from core.market.normaliser import Normaliser
from core.model.calendar import Calendar
from core.model.position import Ended
from core.model.recommendation import Recommendation
from core.model.regime import labels_of
from core.model.values import ZERO, ClientOrderId, Price, Quantity, Symbol
from core.ports import PastIndex
from core.risk.allocation import Allocations
from core.risk.checks.back_pressure import queued_orders
from core.risk.day import Day
from core.risk.evaluation.book import EvaluationBook, Suspension
from core.risk.margin_samples import MarginSamples
from core.risk.protections.book import ProtectionBook
from core.risk.protections.day_trades import business_days
from core.risk.protections.equity_curve import NO_STRATEGY
from core.risk.protections.trades import ClosedTrade
from core.risk.regime.book import RegimeBook
from core.risk.size_factors.base import Conditions
from core.risk.size_factors.book import SizingBook
from core.risk.sizing_inputs import gathered
from core.staging.baskets import Baskets
from core.staging.shadow_trades import ShadowTrades
from core.staging.stage import Stage
from core.strategies.builtin import StrategyKinds
from core.strategies.orchestrator import Orchestrator
from core.trading_state.disk_failure import DiskFailure
from core.trading_state.trading_status import InForce, TradingStatus

Fold = Callable[[datetime, Any], None]


class Slice(Protocol):
    """One part of the state.

    Attributes
    ----------
    name
        Of its document.
    state
        A dataclass, and what a checkpoint keeps of the slice: all else in it is worked out of that.
    folds
        By fact, what it does to the state. What stands under `Fact` itself folds whatever a slice before it in the list
        folds, bars aside; a fold of the fact's own goes before it.
    """

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> Any: ...

    @property
    def folds(self) -> Mapping[Any, Any]: ...

    def restore(self, state: Any) -> None:
        """Take up a saved state, of the type that `state` has."""
        ...


One = TypeVar("One", bound=Slice)


class Holdings:
    """What strategies are told of the books and the stage."""

    def __init__(
        self,
        ledger: Ledger,
        stage: Stage,
        opening: Day,
        regime: RegimeBook,
        sizing: SizingBook,
        allocations: Allocations,
        advice: AdviceBook,
        evaluation: EvaluationBook,
    ) -> None:
        self.ledger, self.stage, self.opening, self.regime, self.sizing = ledger, stage, opening, regime, sizing
        self.allocations, self.advice, self.evaluation = allocations, advice, evaluation

    def held(self, symbol: Symbol, strategy: str) -> tuple[Quantity, Price | None]:
        position = self.ledger.position(symbol, strategy)
        return (position.quantity, position.average_price) if position else (Quantity(ZERO), None)

    def entered_at(self, symbol: Symbol, strategy: str) -> datetime | None:
        position = self.ledger.position(symbol, strategy)
        return position.opened_at if position else None

    def covered(self, symbol: Symbol, strategy: str) -> Quantity:
        return self.ledger.guarded(symbol, strategy)

    def entries_filled(self, strategy: str, day: date) -> int:
        return self.ledger.entries_filled(strategy, day)

    def entries_allowed(self, day: date) -> int:
        return self.regime.allowance(day).entries

    def is_waiting(self, symbol: Symbol, strategy: str) -> bool:
        return self.stage.entry_waits(symbol, strategy) or bool(self.ledger.working_entries(symbol, strategy))

    def queued(self) -> int:
        return queued_orders(self.ledger)

    def recommendation(self, symbol: Symbol, strategy: str) -> Recommendation | None:
        return self.advice.recommendation(strategy, symbol)

    def shut(self, strategy: str, at: datetime) -> Suspension | None:
        return self.evaluation.shut(strategy, at)

    def opening_equity(self, day: date) -> Decimal | None:
        return self.opening.opening_equity(day)

    def conditions(self, symbol: Symbol, strategy: str, day: date, last: dict[Symbol, Price]) -> Conditions:
        """By facts alone, so that a rebuild sizes as the day did."""
        return gathered(
            symbol, strategy, self.sizing, self.ledger, self.opening_equity(day), last.get, self.allocations
        )

    def result_of(self, day: date, last: dict[Symbol, Price]) -> Decimal:
        return self.ledger.result_of(day, last)


class Slices:
    """The list. A line makes a slice, with what it needs of others; they fold in the order of the lines."""

    def __init__(
        self, calendar: Calendar, past: PastIndex, disk: DiskFailure, kinds: StrategyKinds, further: Iterable[Slice]
    ) -> None:
        self.calendar = calendar
        self.slices: list[Slice] = []
        add, day_of = self._add, calendar.trading_day
        self.control = add(TradingStatus(disk))
        self.normaliser = add(Normaliser(calendar))
        self.ledger = add(
            Ledger(
                calendar,
                past,
                regime=lambda: labels_of(self.regime.regime),
                is_still_told=self._is_of_the_running,
                named=self._named,
            )
        )
        self.exits = add(ExitWatch(self.ledger))
        self.stage = add(Stage(calendar, self.ledger.is_working))
        self.shadows = add(
            ShadowTrades(
                calendar,
                self.control,
                self.stage,
                self.ledger,
                self._last_close,
                self._refuses_by_curve,
            )
        )
        self.opening = add(Day())
        self.allocations = add(Allocations())
        self.protections = add(
            ProtectionBook(
                InForce(self.control, lambda settings: settings.risk.protections),
                business_days(calendar),
                calendar.venue,
                lambda: self.ledger.ended,
                lambda: self.shadows.ended,
            )
        )
        self.regime = add(RegimeBook(lambda: self.control.settings.risk))
        self.sizing = add(
            SizingBook(
                InForce(self.control, lambda settings: settings.risk.sizing),
                lambda: self.regime.regime,
                day_of,
                lambda: self.ledger.ended,
            )
        )
        self.margin = add(MarginSamples())
        self.breaker = add(Breaker())
        self.latencies = add(Latencies(day_of))
        self.tally = add(RefusalCounts(day_of))
        self.advice = add(AdviceBook())
        self.evaluation = add(
            EvaluationBook(
                lambda: self.control.settings.evaluation,
                lambda: self.regime.regime,
                day_of,
                self._ended_of_a_strategy,
            )
        )
        self.plans = add(Baskets(self.stage, self.ledger))
        for each in further:
            add(each)
        holdings = Holdings(
            self.ledger,
            self.stage,
            self.opening,
            self.regime,
            self.sizing,
            self.allocations,
            self.advice,
            self.evaluation,
        )
        self.orchestrator = add(Orchestrator(calendar, holdings, kinds, lambda: self.control.settings))

    def _add(self, one: One) -> One:
        self.slices.append(one)
        return one

    def _ended_of_a_strategy(self) -> Ended | None:
        """What nobody's strategy traded is judged by no night."""
        over = self.ledger.ended
        return None if over is None or over.trade.strategy in NO_STRATEGY else over

    # ── questions of one slice to another that is made behind it ─────────────────────────────────────────────────

    def _is_of_the_running(self, order_id: ClientOrderId) -> bool:
        return self.plans.is_of_the_running(order_id)

    def _named(self, at: datetime) -> set[ClientOrderId]:
        return self.stage.named(at)

    def _last_close(self, symbol: Symbol) -> Price | None:
        return self.orchestrator.state.marks.get(symbol)

    def _refuses_by_curve(self, strategy: str, ended: Sequence[ClosedTrade]) -> bool:
        return self.protections.refuses_by_curve(strategy, ended)


def table_of(slices: Iterable[Slice]) -> dict[type, tuple[Fold, ...]]:
    """By fact, who folds it, in their order."""
    table: dict[type, list[Fold]] = {}
    for each in slices:
        own = {kind: fold for kind, fold in each.folds.items() if kind is not Fact}
        if Fact in each.folds:
            rest = {kind for kind in table if kind is not BarClosed}
            own = {**dict.fromkeys(rest, each.folds[Fact]), **own}
        for kind, fold in own.items():
            table.setdefault(kind, []).append(fold)
    return {kind: tuple(folds) for kind, folds in table.items()}
