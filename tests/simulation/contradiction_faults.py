"""Faults of a desk that believes whatever a broker says once, planted to see that a session finds each (EX-05 … EX-23).

Each is one function that patches the product in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from core.execution import order_status
from core.execution.ledger import OrderFolds
from core.execution.order import Order
from core.execution.reconciliation import Comparison
from core.facts import Source
from core.messages.effects import CancelOrder, Effect
from core.messages.inputs import SubmissionAnswered
from core.model.broker import OrderReport
from core.model.codes import FAILED_CLOSES, AuthorizationCode, EndCode
from core.risk import trading_status
from core.risk.trading_status import TradingStatus
from core.trading_state import notifications
from core.workflows.operator.notifying import Notifying
from core.workflows.orders import order_updates, submission
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import OrderUpdates
from core.workflows.orders.position_close import PositionClose
from core.workflows.protection.excess_exits import ExcessExits
from core.workflows.reconciliation import Reconciliation


def one_reading_is_believed(patch: pytest.MonkeyPatch) -> None:
    """That shares are gone is believed at once, whatever contradicts it (EX-09)."""
    patch.setattr(Reconciliation, "_unproven", lambda *_: ())


def changed_terms_are_ignored(patch: pytest.MonkeyPatch) -> None:
    """What the broker changed of an order stays here as it was sent (EX-13)."""
    patch.setattr(OrderUpdates, "_take_terms", lambda *_: None)


def terms_decide_whose_an_order_is(patch: pytest.MonkeyPatch) -> None:
    """An order of ours that the broker changed before its answer was heard is another's (EX-13)."""
    patch.setattr(order_updates, "CLOCKS_APART", -timedelta(days=999))


def a_short_end_is_no_end(patch: pytest.MonkeyPatch) -> None:
    """What is called filled with fewer shares works on here for ever (EX-05)."""
    patch.setattr(OrderUpdates, "_end_short", lambda *_: ())


def a_rejection_after_a_fill_is_no_end(patch: pytest.MonkeyPatch) -> None:
    """Neither does a rejection end what is filled in part (EX-05)."""
    careful = OrderUpdates._end_other_than_told

    def ends(self: OrderUpdates, order: Order, report: OrderReport, source: Source, code: EndCode, why: str) -> Any:
        return () if code is EndCode.REJECTED_LATER else careful(self, order, report, source, code, why)

    patch.setattr(OrderUpdates, "_end_other_than_told", ends)


def a_report_with_unknown_words_is_dropped(patch: pytest.MonkeyPatch) -> None:
    """Its fill with it (EX-05)."""
    take_in = OrderUpdates.take_in

    def drops(self: OrderUpdates, order: Order, report: OrderReport, *rest: Any) -> Iterable[Effect]:
        return () if report.unknown_words else take_in(self, order, report, *rest)

    patch.setattr(OrderUpdates, "take_in", drops)


def what_works_again_is_cancelled_unrecorded(patch: pytest.MonkeyPatch) -> None:
    """An order that was called expired and works again is cancelled, and no record requested that (EX-13)."""

    def at_once(_self: OrderUpdates, order: Order, report: OrderReport, _source: Source) -> Iterator[Effect]:
        if report.status is not None and report.status.is_working:
            yield CancelOrder(order.id, report.broker_order_id)

    patch.setattr(OrderUpdates, "_follow_one_that_is_over", at_once)


def a_suspended_stop_covers(patch: pytest.MonkeyPatch) -> None:
    """What the broker has and does not trade counts as cover, and nobody is told (EX-22)."""
    patch.setattr(order_status, "NOT_TRADING", frozenset())


def what_the_broker_lost_works_for_ever(patch: pytest.MonkeyPatch) -> None:
    """An order that was acknowledged is never given up, however often the broker does not find it (EX-06)."""
    patch.setattr(OrderRecovery, "_miss", lambda *_: None)


def what_the_broker_lost_covers_until_it_ends(patch: pytest.MonkeyPatch) -> None:
    """A stop that neither list nor look-up knows is in no doubt, and nobody is told for a minute (EX-09, EX-22)."""
    patch.setattr(OrderRecovery, "_doubt_unknown", lambda *_: None)


def a_replacement_that_ended_stays_the_one(patch: pytest.MonkeyPatch) -> None:
    """The order that it was to replace counts as replaced, and works on (EX-13)."""
    mark = OrderFolds._mark_replaced

    def once(self: OrderFolds, order: Order, after: Any) -> None:
        if order.status.value == "PENDING" or not after.is_terminal:
            mark(self, order, after)

    patch.setattr(OrderFolds, "_mark_replaced", once)


def a_lost_reduction_is_waited_for(patch: pytest.MonkeyPatch) -> None:
    """An exit for more than is held works on until look-ups have ended the request for less (EX-13)."""
    patch.setattr(ExcessExits, "_is_replacement_missing", lambda _self, _order: False)


def a_late_fill_is_not_counted(patch: pytest.MonkeyPatch) -> None:
    """What has ended fills no more, whatever the broker says (EX-05)."""
    new_fills = OrderUpdates._new_fills

    def none_late(self: OrderUpdates, order: Order, *rest: Any) -> list[Any]:
        return [] if order.status.is_terminal else new_fills(self, order, *rest)

    patch.setattr(OrderUpdates, "_new_fills", none_late)


def a_limited_stop_has_ended(patch: pytest.MonkeyPatch) -> None:
    """A stop that the broker takes no request for is rejected, and nobody is told (EX-22)."""
    answered = submission.Submission.on_answered

    def as_refused(self: submission.Submission, reply: SubmissionAnswered) -> Iterable[Effect]:
        return answered(self, SubmissionAnswered(reply.client_order_id, reply.answer, reply.sent_at))

    patch.setattr(submission.Submission, "on_answered", as_refused)
    patch.setattr(Notifying, "_lasting", lambda _self: iter(()))
    patch.setattr(Notifying, "_tell", lambda *_: None)


def a_close_gives_up_without_a_word(patch: pytest.MonkeyPatch) -> None:
    """A close whose stop is not gone in time, or whose sale fails, ends, and nobody is told (EX-21)."""
    patch.setattr(Notifying, "after_authorization", lambda *_: None)


def a_close_waits_for_ever(patch: pytest.MonkeyPatch) -> None:
    """Its end is not looked for, and nobody is told that it was permitted no more (EX-21)."""
    told = FAILED_CLOSES - {AuthorizationCode.REFUSED}
    patch.setattr(notifications, "FAILED_CLOSES", told)
    patch.setattr(PositionClose, "due", lambda self: self.go_on())
    patch.setattr(PositionClose, "next_due", lambda _self: iter(()))


def a_clock_in_doubt_is_followed(patch: pytest.MonkeyPatch) -> None:
    """What time alone does goes on by a clock that may be wrong (EX-23)."""
    patch.setattr(TradingStatus, "is_clock_in_doubt", False)


def a_dead_mans_timer_stops_signed_exits(patch: pytest.MonkeyPatch) -> None:
    """It shuts more than entries, when nobody is there (RK-27)."""
    patch.setattr(trading_status, "SHUTS_ENTRIES_ALONE", frozenset())


def an_older_folder_is_not_noticed(patch: pytest.MonkeyPatch) -> None:
    """Orders of ours that the journal does not know are left alone, and the desk trades on (EX-24)."""
    patch.setattr(Comparison, "unknown_of_ours", lambda _self: ())


CONTRADICTION_FAULTS = (
    one_reading_is_believed,
    changed_terms_are_ignored,
    terms_decide_whose_an_order_is,
    a_short_end_is_no_end,
    a_rejection_after_a_fill_is_no_end,
    a_report_with_unknown_words_is_dropped,
    what_works_again_is_cancelled_unrecorded,
    a_suspended_stop_covers,
    what_the_broker_lost_works_for_ever,
    what_the_broker_lost_covers_until_it_ends,
    a_replacement_that_ended_stays_the_one,
    a_lost_reduction_is_waited_for,
    a_late_fill_is_not_counted,
    a_limited_stop_has_ended,
    a_close_gives_up_without_a_word,
    a_close_waits_for_ever,
    a_clock_in_doubt_is_followed,
    a_dead_mans_timer_stops_signed_exits,
    an_older_folder_is_not_noticed,
)
