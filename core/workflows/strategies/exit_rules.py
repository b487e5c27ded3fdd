"""Run the exit rules: after each bar they evaluate every position in its symbol and signal like strategies (ST-09).

They propose, like all others (OP-01). A strategy's own exit takes precedence: the rules are silent then.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from core.exits.rules import Due, ExitPosition, exit_due
from core.model.bar import Bar
from core.model.position import Position
from core.model.session import Session
from core.model.signal import EntrySignal, ExitReason, ExitSignal
from core.model.values import ZERO, Quantity
from core.trading_state.state import TradingState


class ExitRules:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    def signals(self, bar: Bar, said: Iterable[EntrySignal | ExitSignal]) -> list[ExitSignal]:
        """Return the rules' signals at this bar's close; `said` holds the strategies' signals."""
        settings = self.state.control.settings.exits
        own = {answer.strategy for answer in said if isinstance(answer, ExitSignal)}
        found = []
        for position in self.state.ledger.positions_in(bar.symbol):
            is_ours = self.state.exits.mark(position).is_stop_ours
            terms = settings.of(position.strategy, is_stop_ours=is_ours)
            if bar.end <= position.opened_at or position.strategy in own:
                continue
            if terms is not None:
                due = exit_due(terms, self.standing(position, bar), bar.close)
            else:
                due = self._flat_without_its_strategy(position, bar)
            if due is not None and due.quantity > ZERO:
                found.append(_signal(position, bar, due))
        return found

    def standing(self, position: Position, bar: Bar) -> ExitPosition:
        ledger, day_of = self.state.ledger, self.state.calendar.trading_day
        mark, held = self.state.exits.mark(position), abs(position.quantity)
        exits = [o for o in ledger.exits.working(position.symbol, position.strategy) if not ledger.legs.is_held(o)]
        return ExitPosition(
            is_long=position.quantity > 0,
            average_price=position.average_price,
            held=Quantity(held),
            unprotected=Quantity(held - ledger.exits.guarded(position.symbol, position.strategy)),
            best=mark.best,
            days=(day_of(bar.start) - day_of(position.opened_at)).days,
            is_late=self._is_late(position, bar),
            own_stop=mark.stop,
            own_target=mark.target,
            is_target_at_broker=any(o.is_target for o in exits),
            is_trailed_at_broker=any(o.request.type.trails for o in exits),
        )

    def _is_late(self, position: Position, bar: Bar) -> bool:
        session = self.state.calendar.session_at(bar.start)
        flat_from = self.flat_from(position, session) if isinstance(session, Session) else None
        return flat_from is not None and bar.start >= flat_from

    def flat_from(self, position: Position, session: Session) -> datetime | None:
        """Return the start of the bar from which a position must be flat; None if it may be held over night.

        If its strategy does not run on the symbol, the strategy's own minutes count as well.
        """
        settings = self.state.control.settings
        if settings.holds_overnight(position.strategy):
            return None
        minutes = settings.exits.flat_minutes
        if not self._is_run(position):
            minutes = max(minutes, settings.flat_minutes(position.strategy))
        return session.close - timedelta(minutes=minutes)

    def _is_run(self, position: Position) -> bool:
        return self.state.orchestrator.roster.runner(position.strategy, position.symbol) is not None

    def _flat_without_its_strategy(self, position: Position, bar: Bar) -> Due | None:
        """Return the end-of-day exit of a position whose strategy no longer follows its symbol (EX-09)."""
        if self._is_run(position) or not self._is_late(position, bar):
            return None
        words = "flat before the market closes; its strategy does not follow this symbol any more"
        return Due(Quantity(abs(position.quantity)), ExitReason.FORCE_FLAT, bar.close, words)


def _signal(position: Position, bar: Bar, due: Due) -> ExitSignal:
    return ExitSignal(
        strategy=position.strategy,
        symbol=position.symbol,
        bar_start=bar.start,
        quantity=due.quantity,
        exit_reason=due.reason,
        intended_price=bar.close,
        reference=due.level,
        reason=due.words,
    )
