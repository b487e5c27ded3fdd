"""Faults in what comes of announced corporate actions, planted to see that a session finds each (EX-25, EX-18, EX-22).

Each is one function that patches the product in one place, or in two that cover for each other.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.execution import corporate_actions as recognition
from core.execution import position_book
from core.execution import reconciliation as comparing
from core.model.values import Price
from core.workflows import corporate_actions as following
from core.workflows.corporate_actions import CorporateActions
from core.workflows.operator.notifying import Notifying
from core.workflows.orders.closes_elsewhere import ClosesElsewhere
from core.workflows.protection import owed_stops, protective_stops
from core.workflows.reconciliation import Reconciliation


def an_announced_move_is_not_read(patch: pytest.MonkeyPatch) -> None:
    """A merger of any ratio stays a difference (EX-25)."""
    patch.setattr(comparing, "announced_in_books", lambda *_: None)


def what_was_announced_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    """The books count, whatever contradicts them (EX-25)."""
    patch.setattr(CorporateActions, "_contradiction", lambda *_: "")


def shares_that_are_gone_are_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    """Between the old symbol and the new one they are corrected away (EX-25, EX-09)."""
    patch.setattr(Reconciliation, "_announced_for", lambda *_: "")


def a_payout_is_no_trade(patch: pytest.MonkeyPatch) -> None:
    """The shares are gone, and no result counts them (EX-18)."""
    patch.setattr(ClosesElsewhere, "pay_out", lambda *_: iter(()))


def a_payout_has_another_price(patch: pytest.MonkeyPatch) -> None:
    """A cent more a share than is paid (EX-18)."""
    paid_out = following.paid_out
    patch.setattr(following, "paid_out", lambda held, day, cash: paid_out(held, day, Price(cash + Decimal("0.01"))))


def shares_are_paid_out_before_their_day(patch: pytest.MonkeyPatch) -> None:
    """Whatever is announced, and whatever is listed (EX-25)."""

    def payout(self: CorporateActions, symbol: Any, _comparison: Any, _sold: Any) -> Any:
        held = self.state.ledger.positions_in(symbol)
        found = (each.paid_out for each in self.state.announced_moves(symbol))
        cash = next((each for each in found if each is not None), None)
        return (
            None
            if cash is None or not held
            else following.paid_out(held, self.state.calendar.trading_day(self.state.at), cash)
        )

    patch.setattr(CorporateActions, "payout", payout)


def a_cost_moves_with_the_ratio(patch: pytest.MonkeyPatch) -> None:
    """What shares of another number had cost is multiplied too (EX-25, EX-08)."""
    split = recognition.split

    def multiplied(held: Any, quantity: Any, by: Any) -> Any:
        after = split(held, quantity, by)
        return replace(after, cost=after.cost * by.ratio)

    patch.setattr(position_book, "split", multiplied)


def orders_of_before_stay(patch: pytest.MonkeyPatch) -> None:
    """A stop for shares of before is left at the broker (EX-25)."""
    patch.setattr(CorporateActions, "cancel_what_is_of_before", lambda *_: iter(()))


def an_announcement_counts_where_shares_are_held(patch: pytest.MonkeyPatch) -> None:
    """An announced split is believed before the books show it (EX-25)."""
    begin = CorporateActions._begin

    def begins(self: CorporateActions, symbol: Any) -> None:
        with pytest.MonkeyPatch.context() as alone:
            alone.setattr(self.state.ledger, "positions_in", lambda _symbol: ())
            begin(self, symbol)

    patch.setattr(CorporateActions, "_begin", begins)


def an_owed_stop_has_the_price_of_before(patch: pytest.MonkeyPatch) -> None:
    """It would sell today's shares at once, or never (EX-25)."""
    for module in (owed_stops, protective_stops):
        patch.setattr(module, "per_share_of_today", lambda order, _by: order)


def nobody_is_told_of_an_owed_stop(patch: pytest.MonkeyPatch) -> None:
    """Shares whose stop an action ended wait without a word (EX-22)."""
    patch.setattr(Notifying, "after_owed", lambda *_: None)


CORPORATE_FAULTS = (
    an_owed_stop_has_the_price_of_before,
    nobody_is_told_of_an_owed_stop,
    an_announced_move_is_not_read,
    what_was_announced_is_not_asked,
    shares_that_are_gone_are_not_waited_for,
    a_payout_is_no_trade,
    a_payout_has_another_price,
    shares_are_paid_out_before_their_day,
    a_cost_moves_with_the_ratio,
    orders_of_before_stay,
    an_announcement_counts_where_shares_are_held,
)
