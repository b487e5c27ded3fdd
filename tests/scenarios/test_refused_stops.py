"""A stop that the broker refuses guards nothing: it is asked for on a ticket, once, whatever it was for (EX-13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.stop_coverage import unprotected_in_words
from core.facts import StopOwed
from core.messages.commands import Decline, Kill, MoveStop, OpenTicket, ProposeClose, RequestCancel
from core.messages.effects import Effect, ReplaceOrder, SubmitOrder
from core.messages.inputs import Input, SubmissionAnswered
from core.model.broker import Refused
from core.model.codes import OwedReason, RefusalKind, UnprotectedKind
from core.model.order import LegRole, OrderStatus, Side, StopHolder
from core.model.staging import MANUAL
from core.model.values import Price, Quantity
from core.workflows.protection.owed_stops import REFUSED
from tests.scenarios.changes import FRACTIONS, ROOMY, confirms_now, passes
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_typed_buy, minutes
from tests.scenarios.test_excess_exits import LONG, a_bracket, is_sold_elsewhere, leg
from tests.scenarios.test_owed_stops import is_bare, waiting, working_stops
from tests.unit.core.brokers.trading_floor import SPY

NOT_FREE = Refused(RefusalKind.FORBIDDEN, "insufficient qty available for order", "40310000")


class Refusals:
    """The broker refuses stops, the first so many or all of them; how many it was asked for."""

    def __init__(self, house: House, times: int = 999, kinds: tuple[type[Effect], ...] = (SubmitOrder,)) -> None:
        self.house, self.times, self.kinds, self.asked = house, times, kinds, 0
        self._ask: Callable[[Effect], Input] = house.line.ask
        house.line.ask = self._answer  # type: ignore[method-assign]

    def _answer(self, effect: Effect) -> Input:
        is_order = isinstance(effect, SubmitOrder | ReplaceOrder)
        if is_order and isinstance(effect, self.kinds) and effect.order.type.is_stop and self.asked < self.times:
            self.asked += 1
            return SubmissionAnswered(effect.order.client_order_id, NOT_FREE)
        return self._ask(effect)


def a_fraction(times: int = 999, shares: str = "0.5") -> tuple[House, Refusals]:
    """Bought by hand with its stop at 98; the broker refuses that stop."""
    bars = [*minutes("09:55", "10:40")]
    house = House(bars, FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    refusals = Refusals(house, times)
    house.presses(a_typed_buy(shares, limit="100.10", stop="98"))
    confirms_now(house)
    house.until("10:08")
    assert house.held() == shares
    return house, refusals


def test_a_refused_stop_waits_on_a_ticket(snapshot: SnapshotAssertion) -> None:
    """EX-13, OP-06: for the same shares at the same price, before everything else; nothing is sent again by itself."""
    house, refusals = a_fraction()

    assert house.stops[0].status is OrderStatus.REJECTED
    assert (waiting(house), house.proposal.reason) == (["0.5 at 98"], REFUSED.words)
    assert (is_bare(house), refusals.asked) == (snapshot, 1)


def test_a_refused_stop_of_a_later_key_is_owed() -> None:
    """EX-22: its first stop was taken back; whoever signs another one is told that it is not in force"""
    house, refusals = a_fraction(times=0)
    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 2)
    house.presses(MoveStop(SPY, MANUAL, Price(Decimal(98))))
    refusals.times = 999
    confirms_now(house)
    passes(house, 5)

    assert [stop.status for stop in house.stops] == [OrderStatus.CANCELLED, OrderStatus.REJECTED]
    assert [(fact.quantity, fact.why) for fact in house.facts(StopOwed)] == [(Decimal("0.5"), OwedReason.WAITS_FOR_KEY)]


def test_a_sale_heard_late_leaves_its_stop_owed() -> None:
    """EX-22: shares without a stop are sold, which is heard when the stop works again; later that stop ends"""
    house, _ = a_fraction(times=0)
    two_more_without_a_stop(house)
    house.line.is_deaf = True
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(1))))
    confirms_now(house)
    house.until("10:12")
    house.line.is_deaf = False
    assert (house.held(), working_stops(house)) == ("1.5", ["0.5 at 98"])
    house.exchange.cancel(house.line.at, house.stops[-1].id)
    passes(house, 60)

    assert [(fact.quantity, fact.why) for fact in house.facts(StopOwed)] == [
        (Decimal("0.5"), OwedReason.TAKEN_ELSEWHERE)
    ]


def test_with_its_key_it_goes_out() -> None:
    """EX-13, OP-02"""
    house, _ = a_fraction(times=1)

    confirms_now(house)
    passes(house, 2)

    assert (working_stops(house), waiting(house), is_bare(house)) == (["0.5 at 98"], [], ())


def test_whoever_declines_it_is_not_asked_again() -> None:
    """EX-13: neither at the next looks nor at the next start"""
    house, refusals = a_fraction()

    house.presses(Decline(house.proposal.id, "no"))
    house.until("10:15")
    house.restarted().until("10:25")

    assert (waiting(house), refusals.asked) == ([], 1)


def test_a_twice_refused_stop_waits_again(snapshot: SnapshotAssertion) -> None:
    """EX-13, OP-02: shares are never bare with nothing waiting; no stop is sent without a key"""
    house, refusals = a_fraction()

    confirms_now(house)
    house.until("10:25")

    assert (refusals.asked, waiting(house)) == (2, ["0.5 at 98"])
    assert is_bare(house) == snapshot


def test_a_crash_after_the_refusal_still_asks() -> None:
    """EX-13, EX-20"""
    house, _ = a_fraction()
    records = list(house.journal.records())
    (refused,) = (r.sequence for r in records if getattr(r.fact, "after", None) is OrderStatus.REJECTED)

    house.loses_the_journal_after(refused)
    house.restarted().until("10:10")

    assert waiting(house) == ["0.5 at 98"]


@pytest.mark.parametrize("refused", [1, 999], ids=["once", "each time"])
def test_a_refused_reduced_stop_is_asked_for(refused: int) -> None:
    """EX-13: the desk had taken the larger one back itself"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    refusals = Refusals(house, refused)

    is_sold_elsewhere(house, "0.302")

    assert (house.held(), working_stops(house), waiting(house)) == ("0.2", [], ["0.2 at 99.3"])
    house.until("10:20")
    assert (refusals.asked, waiting(house)) == (1, ["0.2 at 99.3"])


def test_a_refused_owed_stop_is_not_split(snapshot: SnapshotAssertion) -> None:
    """EX-13: the broker's number, which ours has more than, leaves shares owed meanwhile"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    refusals = Refusals(house)
    trades_elsewhere(house.exchange, house.line.at, Side.SELL, "0.302")
    house.until("10:20")

    assert refusals.asked == 1
    assert len(waiting(house)) == 1
    assert unprotected_in_words(house.desk.ledger) == ((UnprotectedKind.NO_STOP, snapshot),)


def test_a_refused_move_asks_for_nothing() -> None:
    """EX-13: the stop that it was to replace works on"""
    house = a_bracket(LONG)
    Refusals(house, kinds=(ReplaceOrder, SubmitOrder), times=1)
    house.presses(MoveStop(SPY, "manual", Price(Decimal("98.5"))))
    confirms_now(house)
    house.until_moment(house.line.at + timedelta(minutes=2))

    assert (leg(house, LegRole.STOP).status, waiting(house), is_bare(house)) == (OrderStatus.SUBMITTED, [], ())


@pytest.mark.parametrize("taken_back", ["cancelled", "killed naked"])
def test_a_cancelled_then_refused_stop_is_not_asked(taken_back: str) -> None:
    """EX-13, OP-07"""
    house = House([*minutes("09:55", "10:40")], ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    Refusals(house)
    house.presses(a_typed_buy("0.5", limit="100.10", stop="98"))
    confirms_now(house)
    while not house.stops:
        assert house.line.step(house.line.at + timedelta(minutes=1))
    assert house.stops[0].status is OrderStatus.PENDING

    house.presses(RequestCancel(house.stops[0].id) if taken_back == "cancelled" else Kill("key", naked=True))
    house.until("10:20")

    assert (house.held(), waiting(house)) == ("0.5", [])


def two_more_without_a_stop(house: House) -> None:
    house.presses(replace(a_typed_buy("2", limit="100.10", stop="98"), stop_holder=StopHolder.YOU))
    house.presses(OpenTicket(next(proposal.id for proposal in house.desk.stage.proposals() if not proposal.is_guard)))
    passes(house, 1)
    house.confirms()
    house.until("10:10")


def test_a_sale_leaves_a_stop_that_waits_owed() -> None:
    """EX-22: shares that were bought without a stop are sold, and the refused stop's own are held on"""
    house, _ = a_fraction()
    two_more_without_a_stop(house)
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(1))))
    confirms_now(house)
    house.until("10:12")

    assert (house.held(), waiting(house)) == ("1.5", ["0.5 at 98"])
    assert [(owing.quantity, owing.why) for owing in house.desk.owed_stops.all()] == [
        (Decimal("0.5"), OwedReason.WAITS_FOR_KEY)
    ]
