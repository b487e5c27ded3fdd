"""Detect positions held over a close by a strategy that must be flat: an error and an urgent exit (EX-09, ST-02).

It happens if the desk was not running at the close, or the exit was not confirmed or did not fill.
"""

from __future__ import annotations

from datetime import datetime

from core.model.position import Position
from core.model.reconciliation import Difference, DifferenceKind
from core.model.session import Session
from core.model.values import plain
from core.trading_state.state import TradingState
from core.workflows.staging.proposals import Proposals


class OvernightPositions:
    def __init__(self, state: TradingState, proposals: Proposals) -> None:
        self.state = state
        self.proposals = proposals

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
        """Stage one exit per position, however often the books are compared."""
        for position in self._positions():
            self.proposals.stage_flat(position, f"held over the close of {self._close_of(position):%d %B}")

    def _positions(self) -> list[Position]:
        return [p for p in self.state.ledger.positions() if is_held_over(self.state, p)]

    def _close_of(self, position: Position) -> datetime:
        close = close_behind(self.state, position)
        assert close is not None
        return close


def is_held_over(state: TradingState, position: Position) -> bool:
    """Whether the session of its opening has ended and the strategy does not hold overnight."""
    is_flat_by_close = not state.control.settings.holds_overnight(position.strategy)
    return is_flat_by_close and close_behind(state, position) is not None


def close_behind(state: TradingState, position: Position) -> datetime | None:
    """Return the close of the session in which the position was opened, if it is past; else None."""
    session = state.calendar.session_on(state.calendar.trading_day(position.opened_at))
    return session.close if isinstance(session, Session) and state.at >= session.close else None
