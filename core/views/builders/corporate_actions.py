"""Build upcoming corporate actions: per symbol, and per order for its ticket."""

from __future__ import annotations

from datetime import datetime

from core.model.order import OrderRequest
from core.model.reference_data import ActionKind, CorporateAction, coming, in_words, near_until
from core.model.values import Price, plain
from core.trading_state.state import TradingState
from core.views import ActionRow

SPLITS = frozenset({ActionKind.SPLIT, ActionKind.REVERSE_SPLIT, ActionKind.STOCK_DIVIDEND})


def action_rows(state: TradingState, at: datetime) -> tuple[ActionRow, ...]:
    """Return the actions of every followed symbol, next one first."""
    known = state.sightings.corporate_actions
    if not any(known.values()):
        return ()
    near, today = near_until(state.calendar, at), state.calendar.trading_day(at)
    found = coming((each for actions in known.values() for each in actions), today)
    return tuple(ActionRow(each, each.ex_date <= near) for each in found)


def said_on_a_ticket(state: TradingState, order: OrderRequest, at: datetime) -> tuple[str, ...]:
    """Return near actions: `ex Tue 24 Nov: dividend 0.25 USD a share, 11.75 USD for 47`."""
    known = state.sightings.corporate_actions.get(order.symbol, ())
    if not known:
        return ()
    near, today = near_until(state.calendar, at), state.calendar.trading_day(at)
    return tuple(_said(each, order) for each in coming(known, today) if each.ex_date <= near)


def _said(action: CorporateAction, order: OrderRequest) -> str:
    words = f"ex {action.ex_date:%a %d %b}: {in_words(action)}"
    if action.cash is not None:
        paid = order.instrument.notional(order.quantity, Price(action.cash))
        return f"{words}, {paid:,.2f} USD for {plain(order.quantity)}"
    if action.kind in SPLITS:
        return f"{words}; prices and shares here are those of before"
    return words
