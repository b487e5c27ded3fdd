"""Faults of a desk on a day that is not ordinary, planted to see that a session finds each (EX-05 … EX-26, OP-07).

Each is one function that patches the product in one place, or in two that cover for each other.
"""

from __future__ import annotations

import pytest

from core.brokers.alpaca import books
from core.brokers.alpaca.books import OrderPages
from core.brokers.alpaca.fields import UnreadableFieldError
from core.execution import order_status
from core.execution.reconciliation import Comparison
from core.trading_state.account_block import AccountBlock
from core.workflows.orders.fill_reversals import FillReversals
from core.workflows.orders.request_reserve import RequestRoom
from core.workflows.orders.unfilled_orders import UnfilledOrders
from core.workflows.reconciliation import Reconciliation


def a_fill_taken_back_stays_counted(patch: pytest.MonkeyPatch) -> None:
    """And what may explain the difference explains it for ever (EX-05, EX-09)."""
    patch.setattr(FillReversals, "take_back", lambda *_: iter(()))
    patch.setattr(Reconciliation, "_overdue", lambda *_: ())


def a_corrected_price_is_not_followed(patch: pytest.MonkeyPatch) -> None:
    """The cost of what was filled stays as it was told first (EX-05)."""
    patch.setattr(FillReversals, "_reprice", lambda *_: iter(()))


def an_order_that_leaves_covers(patch: pytest.MonkeyPatch) -> None:
    """Whose cancel is pending counts as cover until it is gone (EX-13)."""
    patch.setattr(order_status, "LEAVING", frozenset())


def one_odd_row_takes_the_books(patch: pytest.MonkeyPatch) -> None:
    """A list that is not in the order of its times is not read (EX-26)."""
    after = OrderPages.after

    def sorted_alone(self: OrderPages, *of: object) -> list[object]:
        rows = after(self, *of)  # type: ignore[arg-type]
        if self.is_unsorted:
            raise UnreadableFieldError(books.UNSORTED)
        return rows

    patch.setattr(OrderPages, "after", sorted_alone)


def a_kill_knows_no_limit(patch: pytest.MonkeyPatch) -> None:
    """Cancels of others' orders leave at once, however many the broker takes (OP-07, RK-24)."""
    patch.setattr(RequestRoom, "beside_closes", lambda *_: 10_000)


def a_block_is_not_minded(patch: pytest.MonkeyPatch) -> None:
    """A stop makes way for a sale although the account's figures say that it will be refused (EX-21, RK-22)."""
    patch.setattr(AccountBlock, "reason", "")
    patch.setattr(AccountBlock, "reason_by", lambda *_: "")


def a_list_from_before_our_fill_is_believed(patch: pytest.MonkeyPatch) -> None:
    """What was just sold is taken in again as shares of nobody (EX-09)."""
    patch.setattr(Reconciliation, "_may_lag", lambda *_: False)


def no_order_is_looked_up_for_its_fill(patch: pytest.MonkeyPatch) -> None:
    """A fill whose message was lost waits for the next comparison, and its stop too (EX-22)."""
    patch.setattr(UnfilledOrders, "_overdue", lambda _: iter(()))


def a_split_is_not_followed(patch: pytest.MonkeyPatch) -> None:
    """Shares that came without an order stay a difference (EX-25)."""
    patch.setattr(Comparison, "split", lambda *_: None)


def shares_with_another_symbol_are_not_followed(patch: pytest.MonkeyPatch) -> None:
    """A position is gone, and another came (EX-25)."""
    patch.setattr(Comparison, "move", lambda *_: None)


DISRUPTION_FAULTS = (
    a_split_is_not_followed,
    shares_with_another_symbol_are_not_followed,
    a_fill_taken_back_stays_counted,
    a_corrected_price_is_not_followed,
    an_order_that_leaves_covers,
    one_odd_row_takes_the_books,
    a_kill_knows_no_limit,
    a_block_is_not_minded,
    a_list_from_before_our_fill_is_believed,
    no_order_is_looked_up_for_its_fill,
)
