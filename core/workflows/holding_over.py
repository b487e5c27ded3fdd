"""A strategy that is to be flat by the close and holds over it: an error, and an urgent exit (EX-09, ST-02).

It happens where the desk was not running at the close, or its exit was not confirmed or did not fill.
"""

from __future__ import annotations

from datetime import datetime

from core.desk import Desk
from core.model.position import Position
from core.model.reconciliation import Difference, DifferenceKind
from core.model.session import Session
from core.model.values import plain
from core.workflows.proposing import Proposing


class HoldingOver:
    def __init__(self, desk: Desk, proposing: Proposing) -> None:
        self.desk = desk
        self.proposing = proposing

    def differences(self) -> tuple[Difference, ...]:
        return tuple(
            Difference(
                DifferenceKind.HELD_OVER,
                position.symbol,
                f"{plain(position.quantity)} of {position.strategy}",
                None,
                f"{position.strategy} was to be flat by the close; its exit is staged",
            )
            for position in self._positions()
        )

    def stage_exits(self) -> None:
        """One a position, however often the books are compared."""
        for position in self._positions():
            self.proposing.stage_flat(position, f"held over the close of {self._close_of(position):%d %B}")

    def _positions(self) -> list[Position]:
        return [p for p in self.desk.ledger.positions() if is_held_over(self.desk, p)]

    def _close_of(self, position: Position) -> datetime:
        close = close_behind(self.desk, position)
        assert close is not None
        return close


def is_held_over(desk: Desk, position: Position) -> bool:
    """Whether the session in which a strategy opened it is over, and the strategy holds nothing over night."""
    if desk.orchestrator.runner(position.strategy, position.symbol) is None:
        return False
    terms = desk.control.settings.strategies.of(position.strategy)
    return not terms.holds_overnight and close_behind(desk, position) is not None


def close_behind(desk: Desk, position: Position) -> datetime | None:
    """The close of the session that the position was opened in, where it is past; else None."""
    session = desk.calendar.session_on(desk.calendar.trading_day(position.opened_at))
    return session.close if isinstance(session, Session) and desk.at >= session.close else None
