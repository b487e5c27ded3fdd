"""The strategies' view of books and stage: queries to slices that they cannot access."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from core.execution.ledger import Ledger
from core.model.recommendation import Recommendation
from core.model.values import ZERO, Price, Quantity, Symbol
from core.risk.checks.desk import queued_orders
from core.risk.day import Day
from core.risk.evaluation import EvaluationBook, Suspension
from core.risk.exposure import Allocations
from core.risk.regime import RegimeBook
from core.risk.size_factors.base import Conditions
from core.risk.size_factors.inputs import SizingBook
from core.risk.sizing_inputs import gathered
from core.staging.stage import Stage
from core.trading_state.account_history import AdviceBook


class Holdings:
    """Answers from facts alone."""

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
        return self.ledger.exits.guarded(symbol, strategy)

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
        """Return sizing conditions from facts alone, so that a rebuild sizes as on the day."""
        return gathered(
            symbol, strategy, self.sizing, self.ledger, self.opening_equity(day), last.get, self.allocations
        )

    def result_of(self, day: date, last: dict[Symbol, Price]) -> Decimal:
        return self.ledger.result_of(day, last)
