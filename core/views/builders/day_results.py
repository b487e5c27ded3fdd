"""Build the days with their closed results: rebuilt after a change, else the same rows."""

from __future__ import annotations

from core.trading_state.state import TradingState
from core.views import ClosedRow, DayRow


class DayRows:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._made_of = -1
        self._rows: tuple[DayRow, ...] = ()

    def rows(self) -> tuple[DayRow, ...]:
        """Return the rows, oldest first."""
        known = self.state.results.state
        if known.changes != self._made_of:
            self._made_of = known.changes
            self._rows = tuple(
                DayRow(
                    day,
                    result.equity,
                    tuple(ClosedRow(name, c.trades, c.wins, c.realised) for name, c in result.closed.items()),
                )
                for day, result in sorted(known.days.items())
            )
        return self._rows
