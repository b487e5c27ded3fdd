"""Build the rows of all guards of entries: measure and limit, since when it is shut, and until when (RK-09).

They guard only entries; exits pass them all (RK-22). The order of the rows never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from core.model.values import Fraction
from core.risk.protections.protection import EVERYTHING
from core.trading_state.state import TradingState
from core.views import ProtectionRow
from core.views.builders.protections.exposure import (
    budget_row,
    concentration_rows,
    day_value_rows,
    lost_at_the_stops,
    margin_deficit_rows,
    margin_rows,
    portfolio_rows,
    positions_row,
)
from core.views.builders.protections.hours import breaker_row, desk_row, messages_row, session_row, window_row
from core.views.builders.protections.losses import StrategiesLoss, daily_loss_row, weekly_loss_row
from core.views.builders.protections.trades import (
    entries_rows,
    listed_rows,
    protection_rows,
    refused_symbol_rows,
    throttle_rows,
)
from core.views.builders.regime import regime_rows

OF_EVERYTHING = frozenset(
    {
        *("breaker", "message_rate", "session", "daily_loss", "weekly_loss"),
        *("risk_budget", "portfolio", "margin", "day_value"),
    }
)
"""Guards that refuse every entry when tripped, beside those that count trades over the whole desk."""


class ProtectionRows:
    """Builds the rows."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self.strategies_loss = StrategiesLoss()

    def at_risk(self, at: datetime) -> Fraction | None:
        """Return the loss if every stop filled now, as a share of equity (RK-21)."""
        measured = lost_at_the_stops(self.state, at)
        return None if measured is None else Fraction(measured[0] / measured[1])

    def rows(self, at: datetime) -> tuple[ProtectionRow, ...]:
        return tuple(self._rows(at, self.state.calendar.trading_day(at)))

    def shut_by(self, at: datetime, rows: Iterable[ProtectionRow]) -> str:
        """Return the guard that refuses every entry, and why; guards of one strategy or symbol do not count."""
        today, risk = self.state.calendar.trading_day(at), self.state.control.settings.risk
        minute = self.state.calendar.venue.local(at).time().replace(second=0, microsecond=0)
        tripped = [row for row in rows if row.is_tripped and _is_of_everything(row.key)]
        if tripped:
            more = f", and {len(tripped) - 1} more" if len(tripped) > 1 else ""
            return f"{tripped[0].name}: {tripped[0].reason}{more}"
        is_outside = not risk.window_start <= minute <= risk.window_end
        if is_outside and all(proposal.only_reduces for proposal in self.state.stage.state.proposals.values()):
            return "Window: entries only inside the window"  # a signal of its last bar may still be confirmed after it
        allowance = self.state.regime.allowance(today)
        return f"Entries: {allowance.reason}" if allowance.is_shut else ""

    def _rows(self, at: datetime, today: date) -> Iterator[ProtectionRow]:
        state = self.state
        yield desk_row(state)
        yield breaker_row(state, at)
        yield messages_row(state, at, today)
        yield session_row(state, at, today)
        yield window_row(state, at, today)
        yield daily_loss_row(state, at, today)
        yield weekly_loss_row(state, at, today)
        yield self.strategies_loss.row(state, at, today)
        yield positions_row(state)
        yield budget_row(state, at)
        yield from portfolio_rows(state)
        yield from concentration_rows(state)
        yield from day_value_rows(state, at, today)
        yield from margin_rows(state)
        yield from margin_deficit_rows(state, today)
        yield from entries_rows(state, at, today)
        yield from protection_rows(state, at)
        yield from regime_rows(state.regime.regime, today)
        yield from refused_symbol_rows(state, at, today)
        yield from listed_rows(state, today)
        yield from throttle_rows(state, today)


def _is_of_everything(key: str) -> bool:
    name, _, scope = key.partition("/")
    return name in OF_EVERYTHING if not scope else scope == str(EVERYTHING)
