"""An order that the broker does not find fills there: its shares are never somebody else's, and count once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import (
    CancelRequested,
    NotificationDue,
    OrderFilled,
    PositionChanged,
    PositionCorrected,
    ProposalStaged,
    SubmissionBlocked,
    TradeClosed,
)
from core.messages.commands import ProposeClose, RequestCancel
from core.messages.effects import CancelOrder, Effect, SubmitOrder
from core.model.codes import BlockCode, CancelCode, EndCode
from core.model.notice import Severity
from core.model.order import OrderStatus, TimeInForce
from core.model.signal import ExitReason
from core.model.values import Price, Quantity
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import (
    FALL,
    STEADY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.requests import CANCEL, requested
from tests.scenarios.test_contradicting_reports import BrokersWord
from tests.unit.core.brokers.trading_floor import SPY, a_bar

TEN, ALL = "10", Decimal("0.502")
SEEN_AGAIN = {"soon": ("10:07:05", "10:09"), "late": ("10:09", "10:12")}
"""Before the bound is over, and long after it."""


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> BrokersWord:
    return BrokersWord(monkeypatch)


def an_unseen_bracket(broker: BrokersWord, hidden: str = "10:06:15", then: str = "100") -> House:
    """Ten are typed at 100 with stop and target and acknowledged; then no list has them, and they fill in 10:06."""
    fills = a_bar("10:06", "100.05 100.05 99.95 100")
    bars = [*minutes("09:55", "10:05", "101"), fills, *minutes("10:07", "10:20", then)]
    terms = ROOMY.model_copy(update={"notify": settings().notify})
    house = with_receivers(House(bars, terms, cash=Decimal(10_000)).opens(), Receivers()).until("10:05")
    typed = replace(a_typed_buy(TEN, limit="100", stop="99"), target_price=Price(Decimal(103)))
    house.presses(replace(typed, time_in_force=TimeInForce.DAY))
    confirms_now(house)
    house.until(hidden)
    assert house.entry.status is OrderStatus.SUBMITTED
    broker.changes[house.entry.id] = lambda _report: None
    house.line.is_deaf = True
    house.line.breaks_at(CancelOrder, arrives=False, times=100)
    house.presses(RequestCancel(house.entry.id))
    return house


def is_seen_again(house: House, broker: BrokersWord) -> None:
    broker.changes.clear()
    house.line.is_deaf = False
    house.line.mends()


def assert_counted_once(house: House, shares: str) -> None:
    assert (house.held(), house.held_by_the_broker()) == (shares, shares)
    assert [f.fill.client_order_id for f in house.facts(OrderFilled)] == [house.entry.id]
    assert house.desk.control.state.is_reconciled
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("when", ["soon", "late"])
def test_a_fill_of_an_unseen_order_counts_once(broker: BrokersWord, when: str) -> None:
    """EX-05, EX-09, EX-13: told within the bound, or long after its shares were taken in"""
    house = an_unseen_bracket(broker)
    seen, end = SEEN_AGAIN[when]
    house.until(seen)
    taken_in = house.facts(PositionCorrected)
    is_seen_again(house, broker)
    house.until(end)

    assert bool(taken_in) is (when == "late")
    assert_counted_once(house, TEN)
    assert house.desk.ledger.exits.covered(house.entry.request.symbol, house.entry.strategy) == Decimal(TEN)


def test_shares_of_an_unseen_order_keep_its_stop(broker: BrokersWord) -> None:
    """EX-13, EX-06, SY-03: the wait has a bound; what is taken in then is its owner's, and a person is called, once"""
    house = an_unseen_bracket(broker)
    house.until("10:12")
    corrected = [record.at for record in house.journal.records() if isinstance(record.fact, PositionCorrected)]
    notices = [fact.notice for fact in house.facts(NotificationDue) if fact.notice.severity is Severity.URGENT]
    assert [notice.at for notice in notices] == corrected
    assert len(corrected) == 1

    assert house.entry.end_code is EndCode.LOST_THERE
    assert (house.held(), house.held_by_the_broker()) == (TEN, TEN)
    assert [(share.strategy, share.quantity) for share in house.last(PositionCorrected).owners] == [
        (house.entry.strategy, Decimal(TEN))
    ]
    assert [stop.status for stop in house.stops if stop.is_protective] == [OrderStatus.SUBMITTED]
    assert requested(house).count(CANCEL) <= 3


def test_a_fill_after_the_order_was_ended_counts_once(broker: BrokersWord) -> None:
    """EX-05, EX-09: the books agreed when it ended, and show its shares then"""
    house = an_unseen_bracket(broker, hidden="10:05:20")
    house.until("10:06:05")
    at_its_end = house.entry.end_code, house.held_by_the_broker()
    house.until("10:08")
    taken_in = house.last(PositionCorrected)
    is_seen_again(house, broker)
    house.until("10:11")

    assert at_its_end == (EndCode.LOST_THERE, "0")
    assert taken_in.quantity == Decimal(TEN)
    assert_counted_once(house, TEN)


@pytest.mark.parametrize("left", ["0", "0.302"])
def test_shares_sold_before_their_fill_is_told_count_once(broker: BrokersWord, left: str) -> None:
    """EX-05, EX-09: taken in for a lost entry, and sold: its fill adds none of them again, for no moment"""
    house = a_house_with_a_proposal()
    broker.changes[house.proposal.order.client_order_id] = lambda _report: None
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until("10:10")
    house.line.is_deaf = False
    house.presses(ProposeClose(SPY, quantity=Quantity(ALL - Decimal(left))))
    confirms_now(house)
    passes(house, 2)
    sold = house.held(), house.held_by_the_broker()
    is_seen_again(house, broker)
    held = set()
    for _ in range(100):
        passes(house, 1.3)
        held.add((house.held(), house.held_by_the_broker()))

    assert held == {sold} == {(left, left)}
    assert (house.entry.filled_quantity, len(house.facts(TradeClosed))) == (ALL, left == "0")
    assert len(house.facts(ProposalStaged)) == 2
    assert sum(stop.remaining for stop in house.stops if stop.is_working) == Decimal(left)
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("until", ["10:07:50", "10:10"])
def test_a_lost_answer_whose_order_fills_counts_once(broker: BrokersWord, until: str) -> None:
    """EX-05, EX-06: no answer came and no list has it while it fills; told within the bound, or after its end"""
    house = a_house_with_a_proposal()
    broker.changes[house.proposal.order.client_order_id] = lambda _report: None
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms_at("10:06:02")
    house.until(until)
    is_taken_in = bool(house.facts(PositionCorrected))
    covered = house.desk.ledger.exits.covered(SPY, "vwap")
    is_seen_again(house, broker)
    passes(house, 130)

    assert is_taken_in is (house.entry.end_code is EndCode.NEVER_ARRIVED) is (until == "10:10")
    assert covered == (Decimal("0.502") if is_taken_in else 0)
    assert_counted_once(house, "0.502")
    assert [(stop.request.quantity, stop.is_working) for stop in house.stops] == [(Decimal("0.502"), True)]


def two_lost_entries(broker: BrokersWord, then: str) -> House:
    """A bracket never arrives; then 2.5 are typed whose stop the desk is to send, and they fill unseen."""
    bars = [*minutes("09:55", "10:08", "100"), *minutes("10:09", "10:40", then)]
    house = House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:02")
    house.line.breaks_at(SubmitOrder, arrives=False)
    house.presses(a_typed_buy("8", limit="99.90", stop="99.10"))
    confirms_now(house)
    house.until("10:06")
    assert house.entry.end_code is EndCode.NEVER_ARRIVED
    house.presses(a_typed_buy("2.5", limit="100.10", stop="99"))
    broker.changes[house.proposal.order.client_order_id] = lambda _report: None
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    confirms_now(house)
    return house.until("10:10")


def test_shares_of_one_of_two_lost_entries_ask_for_a_stop(broker: BrokersWord) -> None:
    """EX-22, EX-13: nobody can say whose they are, so that a stop waits for a key; the fill's own stop replaces it"""
    house = two_lost_entries(broker, then="100")
    (asked,) = house.desk.stage.proposals()
    assert (asked.order.quantity, asked.order.stop_price, asked.is_guard) == (Decimal("2.5"), Decimal(99), True)
    is_seen_again(house, broker)
    house.until("10:13")

    assert not house.desk.stage.proposals()
    assert [(stop.request.quantity, stop.is_working) for stop in house.stops] == [(Decimal("2.5"), True)]
    assert_can_be_rebuilt(house)


def test_shares_of_one_of_two_lost_entries_leave_past_a_stop(broker: BrokersWord) -> None:
    """EX-22, OP-06: the market is beyond the stop of the ticket that may have bought them"""
    house = two_lost_entries(broker, then="98.80")

    (leaving,) = house.desk.stage.proposals()
    assert (leaving.order.quantity, leaving.exit_reason) == (Decimal("2.5"), ExitReason.STOP_LOSS)


@pytest.mark.parametrize("held", ["all", "a part"])
def test_a_late_fill_of_a_lost_exit_sells_once(broker: BrokersWord, held: str) -> None:
    """EX-05, EX-09, EX-18: its shares were missing, and were taken off our books before it was told"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    house.presses(ProposeClose(SPY, quantity=None if held == "all" else Quantity(Decimal("0.3"))))
    confirms_now(house, arrives_after=0.05)
    broker.changes[house.sale.id] = lambda _report: None
    house.line.is_deaf = True
    house.until("10:12")
    left = {"all": "0", "a part": "0.202"}[held]
    if held == "a part":
        house.accepts(house.exchange.books(house.line.at))
    assert (house.sale.end_code, house.held(), house.held_by_the_broker()) == (EndCode.LOST_THERE, left, left)
    is_seen_again(house, broker)
    house.until("10:15")

    assert (house.held(), house.held_by_the_broker()) == (left, left)
    assert [f.fill.client_order_id for f in house.facts(OrderFilled)] == [house.entry.id, house.sale.id]
    assert min(fact.quantity for fact in house.facts(PositionChanged)) == Decimal(left)
    assert [trade.trade.entry_order for trade in house.facts(TradeClosed)] == (
        [house.entry.id] if held == "all" else []
    )
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("closed_at", [None, "10:07:30", "10:08:15"])
def test_a_lost_stop_that_may_have_sold_is_not_sent_again(broker: BrokersWord, closed_at: str | None) -> None:
    """EX-13, EX-21, EX-22: the broker's books show none of its shares: another exit would open the other side"""
    house = a_house_in_a_position(("10:06", "10:06", STEADY), ("10:07", "10:40", FALL))
    (stop,) = house.stops
    broker.changes[stop.id] = lambda _report: None
    house.line.is_deaf = True
    if closed_at is not None:
        house.until(closed_at)
        house.line.breaks_at(CancelOrder, arrives=False, times=100)
        house.presses(ProposeClose(SPY))
        confirms_now(house)
    house.until("10:14")
    at_its_end = house.held(), house.held_by_the_broker()
    is_seen_again(house, broker)
    house.until("10:17")

    assert (stop.end_code, at_its_end, house.stops) == (EndCode.LOST_THERE, ("0", "0"), [stop])
    assert (house.held(), house.held_by_the_broker(), stop.filled_quantity) == ("0", "0", ALL)
    assert [fact.trade.exit_order for fact in house.facts(TradeClosed)] == [stop.id]


def test_a_lost_entrys_leg_counts_only_after_its_fills(broker: BrokersWord) -> None:
    """EX-05, EX-13: both fill unseen, and the leg is told first: no short is opened, and no second stop is sent"""
    house = an_unseen_bracket(broker, hidden="10:05:20", then="98.90")
    house.until("10:12")
    at_its_end = house.entry.end_code, house.held(), house.held_by_the_broker()
    is_seen_again(house, broker)
    house.until("10:15")

    assert at_its_end == (EndCode.LOST_THERE, "0", "0")
    assert [fact.quantity for fact in house.facts(PositionChanged)] == [Decimal(TEN), 0]
    assert (house.held_by_the_broker(), [stop.filled_quantity for stop in house.stops]) == ("0", [Decimal(TEN)])


def test_a_close_of_what_a_lost_stop_sold_opens_no_short(broker: BrokersWord) -> None:
    """EX-05, EX-09, EX-11: it sold unseen, a close of the same shares is refused, and its fill is told later"""
    bars = [*minutes("09:45", "10:09", "99.60"), *minutes("10:10", "10:40", FALL)]
    house = House(bars, ROOMY, cash=Decimal(10_000), multiplier=Decimal(2)).opens().until("10:05")
    house.presses(a_typed_buy("15", limit=None))
    confirms_now(house)
    house.until("10:06:30")
    (stop,) = house.stops
    broker.changes |= {stop.id: lambda _report: None, house.entry.id: lambda report: replace(report, legs=())}
    house.until("10:09:30")
    house.line.is_deaf = True
    house.until("10:10:25")
    house.line.is_deaf = False
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    house.until("10:12")
    before = house.held(), house.held_by_the_broker()
    is_seen_again(house, broker)
    house.until("10:15")

    assert (stop.end_code, before) == (EndCode.LOST_THERE, ("0", "0"))
    assert (house.held(), house.held_by_the_broker(), stop.filled_quantity) == ("0", "0", 15)
    assert_can_be_rebuilt(house)


def test_a_fill_of_a_stop_to_be_sent_again_counts_once(broker: BrokersWord, monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-05, EX-09, EX-22: its shares were taken off as it waited here; its fill opens nothing, for no moment"""
    house = a_house_with_a_proposal(("10:06", "10:06", STEADY), ("10:07", "10:20", "99.40 99.40 99 99"))
    house.confirms_at("10:06:02")
    ask = house.line.ask

    def takes_it_unseen(effect: Effect) -> object:
        if isinstance(effect, SubmitOrder) and effect.order.type.is_stop:
            broker.changes[effect.order.client_order_id] = lambda _report: None
            house.line.is_deaf = True
            house.line.breaks_at(SubmitOrder, arrives=True)
        return ask(effect)

    monkeypatch.setattr(house.line, "ask", takes_it_unseen)
    house.until("10:09:30")
    (stop,) = house.stops
    at_its_end = (stop.end_code, house.last(SubmissionBlocked).code, house.held(), house.held_by_the_broker())
    is_seen_again(house, broker)
    house.until("10:15")

    assert at_its_end == (EndCode.NEVER_ARRIVED, BlockCode.LOST, "0", "0")
    assert (stop.filled_quantity, house.held()) == (ALL, "0")
    assert [fact.quantity for fact in house.facts(PositionChanged)] == [ALL, 0]
    assert [fact.for_a_fill for fact in house.facts(PositionCorrected)] == [False, True]
    assert house.desk.control.state.is_reconciled
    assert_can_be_rebuilt(house)


def test_a_cancelled_stop_that_reappeared_is_not_proposed(broker: BrokersWord) -> None:
    """EX-13, EX-22: a person took it back while the broker did not find it; found again it ends, and that is all"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    (stop,) = house.stops
    broker.changes[stop.id] = lambda _report: None
    house.line.breaks_at(CancelOrder, arrives=False, times=100)
    house.presses(RequestCancel(stop.id))
    passes(house, 120)
    at_its_end = stop.end_code
    is_seen_again(house, broker)
    passes(house, 240)

    assert at_its_end is EndCode.LOST_THERE
    assert house.last(CancelRequested).code is CancelCode.REAPPEARED
    assert [*house.exchange._book.all_working()] == []
    assert house.desk.stage.proposals() == ()
    assert_can_be_rebuilt(house)
