"""An order that nobody knows to be at the broker covers nothing, as a person is told it; and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from console.screens.desk_control import leaving_lines
from core import facts
from core.messages.commands import ProposeClose, RequestCancel
from core.messages.effects import CancelOrder, Effect, SubmitOrder
from core.messages.inputs import CancelAnswered, Input
from core.model.broker import CancelTaken, NoAnswer
from core.model.codes import AuthorizationCode, EndCode, GuardCode
from core.model.order import OrderStatus, StopHolder
from core.model.values import ClientOrderId, Fraction, plain
from core.runtime.pending_requests import no_answer
from core.views import DeskView, PositionRow
from core.views.builders.desk import ViewBuilder
from core.workflows.staging import ticket_checks
from state.housekeeping import status_of
from tests.scenarios.changes import ROOMY, confirms_now, moves, passes
from tests.scenarios.house import (
    BROKEN,
    STEADY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.requests import CANCEL, buy, requested, sell
from tests.unit.core.brokers.trading_floor import SPY, at
from widgets.lines import joined

LONG = ("10:06", "10:30", STEADY)


def loses(house: House, kind: str, *, arrives: bool = False) -> None:
    """From now on no order of that type is answered, whether or not it arrives."""
    ask = house.line.ask

    def lost(effect: Effect) -> Input:
        if isinstance(effect, SubmitOrder) and effect.order.type.value == kind:
            if arrives:
                ask(effect)
            return no_answer(effect, BROKEN.reason)
        return ask(effect)

    house.line.ask = lost  # type: ignore[method-assign]


def taken_or(ask: Callable[[Effect], Input], effect: Effect) -> Input:
    """The broker says that it will cancel, and never does."""
    return CancelAnswered(effect.client_order_id, CancelTaken()) if isinstance(effect, CancelOrder) else ask(effect)


def _cancels(effect: Effect, order_id: ClientOrderId) -> bool:
    return isinstance(effect, CancelOrder) and effect.client_order_id == order_id


def the_view(house: House) -> DeskView:
    return ViewBuilder(house.engine).draw(house.line.at)


def the_row(house: House) -> PositionRow:
    (row,) = the_view(house).positions
    return row


def leaving(house: House) -> str:
    return " ".join(joined(line).strip() for line in leaving_lines(the_view(house)))


def a_house_whose_stop_is_in_doubt() -> House:
    house = a_house_with_a_proposal(LONG)
    loses(house, "stop")
    house.confirms_at("10:06:02")
    house.until("10:06:30")
    assert house.held() == "0.502"
    return house


def test_a_stop_in_doubt_covers_nothing(snapshot: SnapshotAssertion) -> None:
    """EX-13, OP-06: the broker has said more than once that it does not know it"""
    house = a_house_whose_stop_is_in_doubt()

    row = the_row(house)

    assert len(house.facts(facts.OrderNotFound)) > 1
    assert (row.holder, row.covered, row.in_doubt, row.doubt, row.unprotected) == (
        StopHolder.YOU,
        0,
        Decimal("0.502"),
        "stop",
        0,
    )
    assert [held.symbol for held in the_view(house).kill.uncovered] == [SPY]
    assert [stop.marks for stop in the_view(house).kill.stops_working] == [("in doubt",)]
    assert leaving(house) == snapshot


def test_a_stop_in_doubt_is_never_sent_twice(snapshot: SnapshotAssertion) -> None:
    """EX-06, EX-13: it may be there; the engine counts it, and the operator's m is refused"""
    house = a_house_whose_stop_is_in_doubt()

    moves(house, "99.20")
    passes(house, 5)

    assert (len(house.stops), requested(house)) == (1, [buy("limit", "0.502")])
    assert house.desk.ledger.exits.reserved(SPY, "vwap") == Decimal("0.502")
    assert house.last(facts.ProposalSkipped).reasons == snapshot


def test_a_stop_found_at_the_broker_covers_at_once(snapshot: SnapshotAssertion) -> None:
    """EX-06, EX-13"""
    house = a_house_with_a_proposal(LONG)
    loses(house, "stop", arrives=True)
    house.confirms_at("10:06:02")
    house.until("10:06:30")

    assert house.facts(facts.OrderStateUnknown)
    assert house.stops[0].status is OrderStatus.SUBMITTED
    assert (the_row(house).covered, the_row(house).doubt) == (Decimal("0.502"), "")
    assert the_view(house).kill.uncovered == ()
    assert leaving(house) == snapshot


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_stop_that_never_arrived_is_sent_again(is_restarted: bool) -> None:
    """EX-22, EX-06, EX-20: by its own name and permission, as often as it is proven not to be there"""
    house = a_house_whose_stop_is_in_doubt()
    house.until("10:07:50")
    (stop,) = house.stops
    in_between = (len(house.facts(facts.OrderKept)), stop.status, the_row(house).covered)
    if is_restarted:
        house.restarted()
    else:
        del house.line.ask  # type: ignore[attr-defined]
    passes(house, 150)

    assert in_between == (1, OrderStatus.PENDING, 0)
    assert [fact.is_absent for fact in house.facts(facts.OrderKept)] == [True, True]
    assert requested(house) == [buy("limit", "0.502"), sell("stop", "0.502")]
    assert [o.status for o in house.stops] == [OrderStatus.SUBMITTED]
    assert (the_view(house).kill.uncovered, house.desk.stage.proposals()) == ((), ())


def test_a_stop_after_its_authorization_waits_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22, OP-02: what was signed ends after two minutes: it is sent again no more, and a ticket asks for it"""
    in_two_minutes = at("10:08:02")
    monkeypatch.setattr(ticket_checks, "end_of_stops", lambda *_of: in_two_minutes)
    house = a_house_whose_stop_is_in_doubt()
    house.until("10:12")

    assert len(house.facts(facts.OrderKept)) == 1
    assert house.stops[0].end_code is EndCode.NEVER_ARRIVED
    assert [p.guard for p in house.desk.stage.proposals()] == [GuardCode.NOT_THERE]


def test_a_stop_awaiting_its_answer_is_not_in_doubt() -> None:
    """EX-06: some milliseconds are no reason for a banner"""
    house = a_house_in_a_position()
    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 5)
    moves(house, "99.20")
    confirms_now(house, arrives_after=3)

    row = the_row(house)

    assert house.stops[-1].status is OrderStatus.PENDING
    assert (row.covered, row.doubt) == (Decimal("0.502"), "")


def test_the_part_in_doubt_is_shown_beside_the_covered() -> None:
    """EX-13, OP-06: half is closed, and what is left gets a stop that is never answered"""
    house = a_house_in_a_position()
    loses(house, "stop")
    house.presses(ProposeClose(SPY, Fraction(Decimal("0.5"))))
    confirms_now(house)
    passes(house, 10)

    row = the_row(house)

    assert (house.held(), plain(row.covered), plain(row.in_doubt), row.doubt) == ("0.251", "0", "0.251", "stop")
    assert "keeps stop" not in leaving(house)


def test_a_stop_move_in_doubt_keeps_the_shares_covered() -> None:
    """EX-13: the old stop works until the broker says that the new one has its place"""
    house = a_house_in_a_position()
    ask = house.line.ask
    house.line.ask = lambda e: no_answer(e, "") if type(e).__name__ == "ReplaceOrder" else ask(e)  # type: ignore[method-assign]
    moves(house, "99.40")
    confirms_now(house)
    passes(house, 10)

    assert house.stops[-1].in_doubt_since is not None
    assert (the_row(house).covered, the_row(house).doubt) == (Decimal("0.502"), "")


def test_doubt_outlives_a_restart(snapshot: SnapshotAssertion) -> None:
    """EX-13, SP-03"""
    house = a_house_whose_stop_is_in_doubt()

    assert_can_be_rebuilt(house)
    assert status_of(house.engine, "house", "trading").uncovered == snapshot


def a_house_whose_sale_is_in_doubt() -> House:
    """The stop made way, and of the sale the broker has said nothing."""
    house = a_house_in_a_position()
    loses(house, "market")
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 10)
    assert house.stops[0].status is OrderStatus.CANCELLED
    return house


def test_a_position_whose_sale_is_in_doubt_is_uncovered(snapshot: SnapshotAssertion) -> None:
    """EX-13, EX-21"""
    house = a_house_whose_sale_is_in_doubt()

    row = the_row(house)

    assert (row.covered, plain(row.in_doubt), row.doubt, row.holder) == (0, "0.502", "exit", StopHolder.YOU)
    assert the_view(house).kill.uncovered == (row,)
    assert status_of(house.engine, "house", "trading").uncovered == snapshot


def test_a_sale_in_doubt_is_not_repeated(snapshot: SnapshotAssertion) -> None:
    """EX-06, EX-13"""
    house = a_house_whose_sale_is_in_doubt()

    house.presses(ProposeClose(SPY))
    close_refused = house.last(facts.ProposalSkipped).reasons
    moves(house, "99.20")
    passes(house, 5)

    assert close_refused == snapshot
    assert len(house.facts(facts.ProposalSkipped)) == 2
    assert requested(house) == [buy("limit", "0.502"), sell("stop", "0.502"), CANCEL]


def test_a_lost_sale_asks_to_close_again(snapshot: SnapshotAssertion) -> None:
    """EX-21, EX-22, EX-06: it was sent once more, and its stop is back by then"""
    house = a_house_in_a_position(LONG)
    pictures = ViewBuilder(house.engine)
    loses(house, "market")
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 200)

    (told,) = pictures.draw(house.line.at).failed_closes

    assert [fact.is_absent for fact in house.facts(facts.OrderKept)] == [True]
    assert AuthorizationCode.NOT_THROUGH in [fact.code for fact in house.facts(facts.AuthorizationEnded)]
    assert told.text == snapshot
    assert (plain(the_row(house).covered), the_row(house).doubt) == ("0.502", "")
    assert the_view(house).kill.uncovered == ()


def test_a_filled_sale_is_no_failed_close() -> None:
    """EX-21"""
    house = a_house_in_a_position()
    pictures = ViewBuilder(house.engine)
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 90)

    assert house.held() == "0"
    assert pictures.draw(house.line.at).failed_closes == ()


def test_a_refused_stop_is_never_reported_as_put_back(snapshot: SnapshotAssertion) -> None:
    """EX-21, SP-03: sale and stop are both refused"""
    house = a_house_in_a_position()
    house.presses(ProposeClose(SPY))
    house.line.refuses_the_next_order("not now")
    house.line.refuses_the_next_order("not now either")
    confirms_now(house)
    passes(house, 10)

    assert house.stops[-1].status is OrderStatus.REJECTED
    assert plain(the_row(house).unprotected) == "0.502"
    ends = [fact.code for fact in house.facts(facts.AuthorizationEnded)]
    assert {AuthorizationCode.NOT_THROUGH, AuthorizationCode.ASKED_AGAIN} <= set(ends)
    assert [fact.reason for fact in house.facts(facts.AuthorizationEnded)] == snapshot


def a_house_whose_cancels_get_lost(seconds: int) -> House:
    """A close is confirmed; none of its stop gets through for so long, and then the broker is back."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    house.line.breaks_at(CancelOrder, arrives=False, times=20)
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, seconds)
    house.line.mends()
    return house


def a_house_whose_close_was_given_up() -> House:
    """No cancel of its stop got through in the time that the close had, and the broker is back."""
    house = a_house_whose_cancels_get_lost(100)
    assert AuthorizationCode.NOT_IN_TIME in [fact.code for fact in house.facts(facts.AuthorizationEnded)]
    return house


def test_an_abandoned_close_leaves_its_stop() -> None:
    """EX-21: taken back for nothing, it might be refused when it is to be put back."""
    house = a_house_whose_close_was_given_up()

    passes(house, 60)

    assert len(house.facts(facts.CancelDropped)) == 1
    assert requested(house) == [buy("limit", "0.502"), sell("stop", "0.502")]
    assert (plain(the_row(house).covered), the_row(house).doubt) == ("0.502", "")
    assert house.stops[0].reason == ""
    assert_can_be_rebuilt(house)


def test_a_stop_beside_one_that_stays_comes_back_at_once() -> None:
    """EX-21, EX-22: of two stops one cancel got through; the end of the close waits for no repetition of the other"""
    bars = minutes("09:30", "10:30", "99.60")
    house = House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    for quantity in ("6", "4"):
        house.presses(a_typed_buy(quantity))
        confirms_now(house)
        passes(house, 70)
    kept, gone = house.stops
    ask, failed = house.line.ask, CancelAnswered(kept.id, NoAnswer(BROKEN.reason))
    house.line.ask = lambda effect: failed if _cancels(effect, kept.id) else ask(effect)  # type: ignore[method-assign]
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 100)
    ended = next(
        record.at
        for record in house.desk.journal.records()
        if isinstance(record.fact, facts.AuthorizationEnded) and record.fact.code is AuthorizationCode.NOT_IN_TIME
    )
    back = house.stops[-1].submitted_at

    assert (kept.status, gone.status) == (OrderStatus.SUBMITTED, OrderStatus.CANCELLED)
    assert back is not None
    assert back - ended < timedelta(seconds=1)
    assert plain(the_row(house).covered) == "10"
    assert_can_be_rebuilt(house)


def test_a_late_cancel_answer_takes_no_stop_away() -> None:
    """EX-21, OP-06: the second of two cancels is refused when the close has been given up long since."""
    house = a_house_whose_close_was_given_up()
    passes(house, 60)
    asked = requested(house)

    house.line.take(house.line.at, CancelAnswered(house.stops[0].id, NoAnswer("no answer in 8 s")))
    passes(house, 60)

    assert requested(house) == asked
    assert (plain(the_row(house).covered), the_row(house).doubt) == ("0.502", "")
    assert_can_be_rebuilt(house)


def test_a_start_after_an_expired_close_keeps_the_stop() -> None:
    """EX-20, EX-21: no cancel had got through when the desk died; it came back when the time of the close was over."""
    house = a_house_whose_cancels_get_lost(2)
    house.line.at += timedelta(seconds=200)

    house.restarted()
    passes(house, 60)

    assert AuthorizationCode.NOT_IN_TIME in [fact.code for fact in house.facts(facts.AuthorizationEnded)]
    assert requested(house) == [buy("limit", "0.502"), sell("stop", "0.502")]
    assert plain(the_row(house).covered) == "0.502"


def test_a_start_keeps_the_stop_of_an_abandoned_close() -> None:
    """EX-20, EX-21: nobody knew it to be there when the close was confirmed, and the desk died before it was asked."""
    house = a_house_with_a_proposal(LONG)
    ask = house.line.ask
    loses(house, "stop", arrives=True)
    house.confirms_at("10:06:02")
    passes(house, 0.35)
    house.line.is_deaf = house.line.finds_nothing = True
    passes(house, 2)
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 2)
    house.line.ask = ask  # type: ignore[method-assign]
    house.line.is_deaf = house.line.finds_nothing = False
    house.line.at += timedelta(seconds=200)

    house.restarted()
    passes(house, 60)

    assert AuthorizationCode.NOT_IN_TIME in [fact.code for fact in house.facts(facts.AuthorizationEnded)]
    assert requested(house) == [buy("limit", "0.502"), sell("stop", "0.502")]
    assert plain(the_row(house).covered) == "0.502"


def test_a_lost_cancel_is_not_repeated_for_a_failed_close() -> None:
    """EX-21, EX-07: the broker said that it would, and did not; look-ups ask for it as long as the close waits."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    ask = house.line.ask
    house.line.ask = lambda effect: taken_or(ask, effect)  # type: ignore[method-assign]
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 100)
    house.line.ask = ask  # type: ignore[method-assign]
    passes(house, 120)

    assert AuthorizationCode.NOT_IN_TIME in [fact.code for fact in house.facts(facts.AuthorizationEnded)]
    assert len(house.facts(facts.CancelDropped)) == 1
    assert requested(house) == [buy("limit", "0.502"), sell("stop", "0.502")]
    assert (plain(the_row(house).covered), the_row(house).doubt) == ("0.502", "")
    assert_can_be_rebuilt(house)


def test_a_late_cancel_has_its_stop_put_back() -> None:
    """EX-21, EX-13"""
    house = a_house_whose_close_was_given_up()
    passes(house, 60)
    house.exchange.cancel(house.line.at, house.stops[0].id)
    house.line._pass_updates_on()

    passes(house, 5)

    assert [stop.status for stop in house.stops] == [OrderStatus.CANCELLED, OrderStatus.SUBMITTED]
    assert plain(the_row(house).covered) == "0.502"


def test_a_stop_cancelled_by_the_operator_stays_cancelled() -> None:
    """EX-21: what was signed for the close ends with the key that takes the stop away."""
    house = a_house_whose_close_was_given_up()
    passes(house, 60)

    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 5)

    assert [stop.status for stop in house.stops] == [OrderStatus.CANCELLED]
    assert plain(the_row(house).unprotected) == "0.502"


def test_a_stop_not_found_while_cancelled_is_put_back() -> None:
    """EX-06, EX-21, EX-13: nothing found of a request on the wire is no doubt, and no reason of its cancel"""
    house = a_house_with_a_proposal(LONG)
    house.confirms_at("10:06:02")
    while not house.facts(facts.OrderCreated):
        passes(house, 0.05)
    house.slows_down(8)
    while len(house.facts(facts.OrderCreated)) < 2:
        passes(house, 0.05)
    passes(house, 0.05)
    house.slows_down(0.1)
    house.presses(ProposeClose(SPY, Fraction(Decimal("0.5"))))
    passes(house, 1)
    confirms_now(house)
    passes(house, 20)

    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    assert house.facts(facts.OrderStateUnknown) == []
    assert house.held() == house.held_by_the_broker() == "0.251"
    assert plain(row.covered) == "0.251"
    assert_can_be_rebuilt(house)
