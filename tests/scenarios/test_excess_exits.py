"""What only reduces is judged by what is held now: an exit beyond that is made less or taken back at once (EX-13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.order import Order
from core.execution.stop_coverage import refusal_of_less
from core.facts import StopOwed
from core.messages.commands import Kill, ProposeOrder, RequestCancel
from core.messages.effects import CancelOrder, FetchBooks, LookUpOrder, ReplaceOrder
from core.messages.effects import Effect as Effects
from core.messages.inputs import Input, LookUpAnswered, SubmissionAnswered
from core.model.bar import Bar
from core.model.broker import Accepted, NotFound, OrderReport
from core.model.order import Effect, LegRole, OrderStatus, OrderType, Side, StopHolder
from core.model.values import NO_SHARES, BrokerOrderId, ClientOrderId, Price, Quantity
from core.runtime.inbox import Link
from core.views.builders.desk import ViewBuilder
from core.workflows.protection.excess_exits import ExcessExits
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY, a_bar
from tests.unit.core.brokers.unlinked_book import unlink_siblings

BUY, CANCEL = ("submit", "buy", "limit", "6"), ("cancel",)
CANCELLED, FILLED, SUBMITTED = OrderStatus.CANCELLED, OrderStatus.FILLED, OrderStatus.SUBMITTED
LONG = {
    "effect": Effect.OPEN,
    "limit": "100.10",
    "stop": "99",
    "target": "101",
    "to_target": "100 101.50 100 101.50",
    "to_stop": "100 100 98.50 98.50",
    "beyond": "98",
}
SHORT = {
    "effect": Effect.SHORT,
    "limit": "99.90",
    "stop": "101",
    "target": "99",
    "to_target": "100 100 98.50 98.50",
    "to_stop": "100 101.50 100 101.50",
    "beyond": "102",
}
SIDES = pytest.mark.parametrize("side", [LONG, SHORT], ids=["long", "short"])


def a_bracket(
    side: dict[str, object],
    *then: Bar,
    shares: str = "6",
    unlinked: bool = True,
    opens: str = "10:04",
    still_until: str = "10:10",
) -> House:
    """Six shares, their stop and their target at a broker that links its legs only where told."""
    bars = [*minutes(opens, still_until), *then]
    house = House(bars, ROOMY, cash=Decimal(10_000), multiplier=Decimal(2))
    if unlinked:
        unlink_siblings(house.exchange)
    house.opens().until("10:05")
    house.presses(
        replace(
            a_typed_buy(shares),
            effect=side["effect"],
            limit_price=Price(Decimal(str(side["limit"]))),
            stop_price=Price(Decimal(str(side["stop"]))),
            target_price=Price(Decimal(str(side["target"]))),
        )
    )
    confirms_now(house)
    house.until("10:06")
    assert abs(Decimal(house.held())) == Decimal(shares)
    return house


def leg(house: House, role: LegRole) -> Order:
    return next(o for o in house.desk.ledger.state.orders.values() if o.role is role)


def three_and_three(side: dict[str, object], first: int = 11) -> list[Bar]:
    """The target fills three of six, then the stop three; minutes later the market goes on through the stop."""
    return [
        a_bar(f"10:{first:02}", str(side["to_target"]), volume=30),
        a_bar(f"10:{first + 1:02}", "100", volume=0),
        a_bar(f"10:{first + 2:02}", str(side["to_stop"]), volume=30),
        *[a_bar(f"10:{minute:02}", str(side["beyond"]), volume=0) for minute in range(first + 3, first + 9)],
        *minutes(f"10:{first + 9}", f"10:{first + 14}", str(side["beyond"])),
    ]


def flat_with_both_remainders(side: dict[str, object]) -> House:
    """It is 10:15: nobody heard of either fill, and the books are about to tell of both."""
    house = a_bracket(side, *three_and_three(side))
    house.until("10:10:50")
    house.line.is_deaf = True
    house.line.breaks_at(FetchBooks, arrives=False, times=99)
    house.line.breaks_at(LookUpOrder, arrives=False, times=99)
    house.until("10:15")
    house.line.is_deaf = False
    house.line.mends()
    return house


def could_open(house: House) -> list[tuple[str, str, str]]:
    """What the kill screen names."""
    kill = ViewBuilder(house.engine).draw(house.line.at).kill
    return sorted((row.effect.value, row.type.value, row.status.value) for row in kill.entries_working)


@SIDES
def test_half_filled_legs_are_cancelled_when_flat(side: dict[str, object]) -> None:
    """EX-13: the exchange lets both remainders work, and the desk does not depend on it"""
    house = flat_with_both_remainders(side)

    house.until("10:25")

    assert [leg(house, role).filled_quantity for role in LegRole] == [3, 3]
    assert [leg(house, role).status for role in LegRole] == [CANCELLED, CANCELLED]
    assert set(house.sent()[1:]) == {CANCEL}
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


@SIDES
def test_kill_cancels_legs_of_a_flat_position(side: dict[str, object]) -> None:
    """OP-07, EX-13: "no order works that could open or add" is said when both are gone, and no stop opens after it"""
    house = flat_with_both_remainders(side)
    house.line.breaks_at(CancelOrder, arrives=False, times=99)
    house.until("10:16:30")
    opens = "short" if side is LONG else "open"
    named = could_open(house)

    house.line.mends()
    house.presses(Kill("the operator"))
    house.until("10:16:35")

    assert named == [(opens, "limit", "PARTIALLY_FILLED"), (opens, "stop", "PARTIALLY_FILLED")]
    assert could_open(house) == []
    house.until("10:25")
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


@SIDES
@pytest.mark.usefixtures("a_bar_at_once")
def test_half_filled_target_reduces_the_stop(side: dict[str, object]) -> None:
    """EX-13: the broker does not take it off the stop by itself, so the stop is replaced by one for what is left"""
    house = a_bracket(side, *three_and_three(side))
    bought = "sell" if side is LONG else "buy"

    house.until("10:12:30")

    stop = house.stops[-1]
    assert house.sent()[1:] == [("replace", bought, "stop", "3")]
    assert (stop.remaining, stop.role, stop.is_working) == (3, LegRole.STOP, True)
    assert house.desk.ledger.exits.covered(SPY, "manual") == 3
    house.until("10:25")
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert leg(house, LegRole.TARGET).status is CANCELLED


def test_linked_legs_are_reduced_by_the_broker() -> None:
    """EX-13, EX-17: one look-up tells, and the stop is as large as what is held"""
    house = a_bracket(LONG, *three_and_three(LONG), unlinked=False)

    house.until("10:12:30")

    assert house.sent() == [BUY]
    assert leg(house, LegRole.STOP).remaining == 3
    assert house.desk.ledger.exits.covered(SPY, "manual") == 3


def test_silent_broker_is_not_waited_for() -> None:
    """EX-13: its silence of two seconds is enough"""
    house = a_bracket(LONG, *three_and_three(LONG))
    house.until("10:11")
    house.line.breaks_at(LookUpOrder, arrives=False, times=99)

    house.until("10:12:10")

    assert ("replace", "sell", "stop", "3") in house.sent()


@pytest.mark.usefixtures("a_bar_at_once")
def test_refused_reduction_sends_the_stop_anew() -> None:
    """EX-13: with no share more, and none less, than is held; the target, which may go with it, leaves nothing bare"""
    house = a_bracket(LONG, *three_and_three(LONG))
    house.until("10:11")
    house.line.refuses_the_next_order("cannot replace a leg")

    house.until("10:12:30")

    assert house.sent()[1:] == [CANCEL, CANCEL, ("submit", "sell", "stop", "3")]
    again = house.stops[-1]
    assert (again.is_working, again.remaining, again.request.stop_price) == (True, 3, Decimal(99))
    house.until("10:25")
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


@SIDES
@pytest.mark.usefixtures("a_bar_at_once")
@pytest.mark.parametrize("arrives", [False, True])
def test_lost_reduction_never_opens(side: dict[str, object], arrives: bool) -> None:
    """EX-13, EX-06: the stop is for six, three are held, and its next bar would sell them all"""
    to_target, through = three_and_three(side)[0], a_bar("10:12", str(side["to_stop"]), volume=10_000)
    house = a_bracket(side, to_target, through, *minutes("10:13", "10:25", str(side["beyond"])))
    house.until("10:11")
    house.line.breaks_at(ReplaceOrder, arrives=arrives)
    sold = "sell" if side is LONG else "buy"

    house.until("10:12:10")
    guarded, sent = house.desk.ledger.exits.covered(SPY, "manual"), house.sent()[1:]
    house.until("10:25")

    by_then = [("replace", sold, "stop", "3")] if arrives else [CANCEL, CANCEL, ("submit", sold, "stop", "3")]
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert (guarded, sent) == (3, by_then)
    assert not any(order.late_fill for order in house.desk.ledger.state.orders.values())


def lost_reduction(*, arrives: bool) -> House:
    """The request for three of six gets no answer."""
    house = a_bracket(LONG, three_and_three(LONG)[0], *minutes("10:12", "10:25"))
    house.until("10:11")
    house.line.breaks_at(ReplaceOrder, arrives=arrives)
    return house


@pytest.mark.usefixtures("a_bar_at_once")
def test_single_miss_cancels_no_exit() -> None:
    """EX-06, EX-13: the broker has it, one look-up does not find it, and its stream is late"""
    house, misses = lost_reduction(arrives=True), 1
    ask = house.line.ask

    def misses_once(effect: Effects) -> Input:
        nonlocal misses
        less = house.stops[-1]
        is_of_it = isinstance(effect, LookUpOrder) and effect.client_order_id == less.id and bool(less.request.replaces)
        house.line.is_deaf |= isinstance(effect, ReplaceOrder)
        if is_of_it and misses:
            misses -= 1
            return LookUpAnswered(less.id, NotFound())
        house.line.is_deaf &= not is_of_it
        return ask(effect)

    house.line.ask = misses_once
    house.until("10:12:30")

    assert misses == 0
    assert house.sent()[1:] == [("replace", "sell", "stop", "3")]
    assert house.desk.ledger.exits.covered(SPY, "manual") == 3


@pytest.mark.usefixtures("a_bar_at_once")
@pytest.mark.parametrize(("silent", "seconds"), [((), 3), ((FetchBooks,), 11), ((FetchBooks, LookUpOrder), 11)])
def test_lost_reduction_is_given_up_in_time(silent: tuple[type[Effects], ...], seconds: int) -> None:
    """EX-06, EX-13: after two misses and a list without it; without the list after ten seconds"""
    house = lost_reduction(arrives=False)
    while not (house.stops[-1].not_found):
        house.until_moment(house.line.at + timedelta(milliseconds=100))
    for kind in silent:
        house.line.breaks_at(kind, arrives=False, times=99)
    since = house.line.at

    house.until_moment(since + timedelta(seconds=seconds - 2))
    before = house.sent()[1:]
    house.until_moment(since + timedelta(seconds=seconds))

    assert before == [], "the exit rests"
    assert house.sent()[1:] == [CANCEL, CANCEL, ("submit", "sell", "stop", "3")]


@pytest.mark.usefixtures("a_bar_at_once")
def test_kill_gives_a_lost_reduction_up_at_once() -> None:
    """OP-07, EX-13: after one look-up"""
    house = lost_reduction(arrives=False)
    while not house.stops[-1].not_found:
        house.until_moment(house.line.at + timedelta(milliseconds=100))

    house.presses(Kill("the operator"))
    house.until_moment(house.line.at + timedelta(milliseconds=500))

    assert house.sent()[1:] == [CANCEL, CANCEL, ("submit", "sell", "stop", "3")]


@dataclass(frozen=True, slots=True)
class Hanging(Link):
    """Requests of this kind never arrive; that is known after eight seconds."""

    kind: type[Effects] = ReplaceOrder

    def carry(self, effect: Effects) -> tuple[timedelta, ...]:
        return () if isinstance(effect, self.kind) else (self.latency,)


def half_sold_while_hanging(kind: type[Effects]) -> House:
    """The target has sold three of six; what the desk requests first hangs."""
    house = a_bracket(LONG)
    house.until("10:11")
    house.line.link = Hanging(kind=kind)
    trades(house, "100 101.50 100 101.50", 30)
    assert house.held() == "3"
    return house


def trades(house: House, prices: str, volume: int) -> None:
    """The market trades for three seconds; the desk has three more."""
    house.exchange.begin_bar(replace(a_bar("10:11", prices, volume), start=house.line.at), timedelta(seconds=3))
    house.until_moment(house.line.at + timedelta(seconds=6))


@pytest.mark.usefixtures("a_bar_at_once")
@pytest.mark.parametrize("first", ["smaller stop", "both cancelled, as an OCO", "target cancelled"])
def test_no_order_of_requests_closes_a_hanging_pair(first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-13: the target's fill itself makes its unlinked stop too large, until the broker has answered for the stop"""
    is_oco = first == "both cancelled, as an OCO"
    if is_oco:
        monkeypatch.setattr(ExcessExits, "_can_be_less", lambda *_: False)
    house = half_sold_while_hanging(CancelOrder if is_oco else ReplaceOrder)
    if first == "target cancelled":
        house.presses(RequestCancel(leg(house, LegRole.TARGET).id))
        house.until_moment(house.line.at + timedelta(seconds=1))
    assert leg(house, LegRole.TARGET).is_working is (first != "target cancelled")

    trades(house, "100 100 98.50 98.50", 10_000)

    assert house.held_by_the_broker() == "-3"


@pytest.mark.usefixtures("a_bar_at_once")
def test_second_fill_cancels_a_stop_being_reduced() -> None:
    """EX-13: the request for less hangs, and the cancel does not wait behind it"""
    house = half_sold_while_hanging(ReplaceOrder)
    trades(house, "101 101.50 101 101.50", 10_000)
    trades(house, "100 100 98.50 98.50", 10_000)

    assert house.sent()[1:] == [CANCEL]
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


def is_sold_elsewhere(house: House, shares: str) -> None:
    """At the broker's own page, which moves the account's shares and leaves our orders as they are; a person who takes
    the broker's word is asked first.
    """
    price = Price(Decimal(100))
    house.exchange._ledger.execute(SPY, Side.SELL, Quantity(Decimal(shares)), price, house.line.at)
    house.accepts(house.exchange.books(house.line.at))
    house.until_moment(house.line.at + timedelta(minutes=2))


@pytest.mark.parametrize("unlinked", [True, False])
def test_legs_are_reduced_after_a_foreign_sale(unlinked: bool) -> None:
    """EX-13, EX-09: both of the pair, and the shares that are left are guarded all the while"""
    house = a_bracket(LONG, unlinked=unlinked)

    is_sold_elsewhere(house, "4")

    assert house.held() == "2"
    assert sorted(house.sent()[1:]) == [("replace", "sell", "limit", "2"), ("replace", "sell", "stop", "2")]
    working = [(o.role, o.remaining) for o in house.desk.ledger.working()]
    assert sorted(working, key=str) == [(LegRole.STOP, 2), (LegRole.TARGET, 2)]
    assert house.desk.ledger.exits.covered(SPY, "manual") == 2


def test_legs_are_reduced_while_read_only() -> None:
    """EX-09, EX-13: the desk is read-only and corrects nothing; its stop would still open what nobody holds"""
    house = a_bracket(LONG)
    trades_elsewhere(house.exchange, house.line.at, Side.SELL, "4")

    house.until("10:08:30")

    assert not house.desk.control.state.is_reconciled
    assert (house.held(), house.held_by_the_broker()) == ("6", "2")
    assert sorted(house.sent()[1:]) == [("replace", "sell", "limit", "2"), ("replace", "sell", "stop", "2")]
    assert ViewBuilder(house.engine).draw(house.line.at).kill.too_large == ()


def the_broker_closes(house: House, side: dict[str, object], shares: str) -> None:
    """It closes a part by itself: no order of anybody is listed for it."""
    way, price = (Side.SELL if side is LONG else Side.BUY), Price(Decimal(100))
    house.exchange._ledger.execute(SPY, way, Quantity(Decimal(shares)), price, house.line.at)


def is_read(house: House) -> None:
    """The first comparison after it."""
    while house.desk.control.state.is_reconciled:
        passes(house, 1)


@SIDES
def test_an_exit_beyond_a_part_that_the_broker_closed_is_reduced(side: dict[str, object]) -> None:
    """EX-09, EX-13: two readings ten seconds apart agree; our books and a person's word stay as they are"""
    house = a_bracket(side)
    stop = leg(house, LegRole.STOP)
    the_broker_closes(house, side, "4")
    is_read(house)
    first = house.sent()[1:], {row.id: row.beyond for row in house.line.view().orders}[stop.id]
    passes(house, 9)
    early = house.sent()[1:]
    passes(house, 11)

    word = "sell" if side is LONG else "buy"
    assert (first, early) == (([], 4), [])
    assert sorted(house.sent()[1:]) == [("replace", word, "limit", "2"), ("replace", word, "stop", "2")]
    assert not house.desk.control.state.is_reconciled
    assert abs(Decimal(house.held())) == 6
    assert house.line.view().kill.too_large == ()
    assert house.facts(StopOwed) == []  # each share that is left has its stop; the difference is told


@SIDES
def test_a_kill_reduces_an_exit_by_a_single_reading(side: dict[str, object]) -> None:
    """OP-07, EX-13: it counts as one that could open until it is gone"""
    house = a_bracket(side)
    the_broker_closes(house, side, "4")
    is_read(house)
    house.presses(Kill("the operator"))
    passes(house, 3)

    assert house.sent()[1:] != []
    assert all(sent[0] in ("replace", "cancel") for sent in house.sent()[1:])


def test_a_stop_reduced_by_a_wrong_list_is_whole_again() -> None:
    """EX-09, EX-22: the shares that the broker's list left out are there after all"""
    house = a_bracket(LONG)
    the_broker_closes(house, LONG, "4")
    house.until("10:07:30")
    house.exchange._ledger.execute(SPY, Side.BUY, Quantity(Decimal(4)), Price(Decimal(100)), house.line.at)
    house.until("10:09:30")

    assert house.desk.ledger.exits.covered(SPY, "manual") == 6
    assert house.desk.control.state.is_reconciled


def nothing_at_the_broker(side: dict[str, object]) -> House:
    """The broker's books show none of the shares, and a person is still to say who is right."""
    house = a_bracket(side)
    house.settings = house.desk.control.settings.model_copy(
        update={"reconciliation": house.desk.control.settings.reconciliation.model_copy(update={"max_missing": 0})}
    )
    house = house.restarted()
    house.until_moment(house.line.at + timedelta(seconds=1))  # the books agree once
    all_of_it = Side.SELL if side is LONG else Side.BUY
    trades_elsewhere(house.exchange, house.line.at, all_of_it, "6")
    return house


@SIDES
def test_empty_books_cancel_no_stop(side: dict[str, object]) -> None:
    """EX-09, EX-13, OP-07: only a number that both have is believed before a person is asked"""
    house = nothing_at_the_broker(side)

    house.until("10:08:30")

    assert not house.desk.control.state.is_reconciled
    assert len(house.sent()) == 1
    opens = "short" if side is LONG else "open"
    assert could_open(house) == [(opens, "limit", "SUBMITTED"), (opens, "stop", "SUBMITTED")]
    assert ViewBuilder(house.engine).draw(house.line.at).kill.stops_working == ()


@SIDES
@pytest.mark.parametrize("is_killed_first", [False, True], ids=["books first", "kill first"])
def test_kill_cancels_exits_absent_from_the_books(side: dict[str, object], is_killed_first: bool) -> None:
    """OP-07, EX-13: by its word they could open; a position that is there after all is left to a person, and named"""
    house = nothing_at_the_broker(side)
    if is_killed_first:
        house.presses(Kill("the operator"))
        house.until("10:08:30")
    else:
        house.until("10:08:30")
        house.presses(Kill("the operator"))

    house.until("10:09:30")

    assert not house.desk.control.state.is_reconciled
    assert [leg(house, role).status for role in LegRole] == [CANCELLED, CANCELLED]
    assert could_open(house) == []
    assert set(house.sent()[1:]) == {CANCEL}
    (bare,) = ViewBuilder(house.engine).draw(house.line.at).kill.uncovered
    assert bare.unprotected == 6


def test_fractional_stop_is_renewed_for_the_rest() -> None:
    """EX-13: no broker changes the number of a fraction"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))

    is_sold_elsewhere(house, "0.302")

    assert house.sent()[2:] == [CANCEL, ("submit", "sell", "stop", "0.200")]
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.2")


def test_fractional_stop_follows_the_broker() -> None:
    """EX-13, EX-09: by our own books, which a person has not given up yet, it would be for too much again"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    trades_elsewhere(house.exchange, house.line.at, Side.SELL, "0.302")

    house.until_moment(house.line.at + timedelta(minutes=5))

    assert not house.desk.control.state.is_reconciled
    assert house.sent()[2:] == [CANCEL, ("submit", "sell", "stop", "0.200")]


@pytest.mark.usefixtures("a_bar_at_once")
def test_rejected_replacement_is_not_repeated() -> None:
    """EX-13, EX-14: it has a name at the broker, and was refused all the same"""
    house = a_bracket(LONG, *three_and_three(LONG))
    house.until("10:11")
    ask = house.line.ask

    def rejects(effect: Effects) -> Input:
        if not isinstance(effect, ReplaceOrder):
            return ask(effect)
        order_id = effect.order.client_order_id
        report = house.exchange.order(house.line.at, effect.order.replaces or order_id)
        assert isinstance(report, OrderReport)
        rejected = replace(
            report,
            client_order_id=order_id,
            broker_order_id=BrokerOrderId("rejected"),
            quantity=effect.order.quantity,
            filled_quantity=NO_SHARES,
            status=OrderStatus.REJECTED,
            raw_status="rejected",
        )
        return SubmissionAnswered(order_id, Accepted(rejected))

    house.line.ask = rejects
    house.until("10:12:30")

    created = [o for o in house.desk.ledger.state.orders.values() if o.request.replaces is not None]
    assert [order.status for order in created] == [OrderStatus.REJECTED]
    assert house.sent()[1:] == [CANCEL, CANCEL, ("submit", "sell", "stop", "3")]


def an_exit_at_its_limit() -> House:
    """All six shares wait at 110, with no stop."""
    house = a_bracket(LONG)
    limit = Price(Decimal(110))
    house.presses(
        ProposeOrder(SPY, Effect.CLOSE, Quantity(Decimal(6)), OrderType.LIMIT, limit, None, StopHolder.BROKER)
    )
    confirms_now(house)
    house.until("10:06:30")
    assert [o.request.limit_price for o in house.desk.ledger.working()] == [limit]
    return house


@pytest.mark.parametrize(
    ("sold", "then", "left"), [("6", [CANCEL], []), ("4", [("replace", "sell", "limit", "2")], [Decimal(2)])]
)
def test_exit_at_a_limit_is_reduced(sold: str, then: list[tuple[str, ...]], left: list[Decimal]) -> None:
    """EX-13: without any bracket; where nothing is left it would open a short"""
    house = an_exit_at_its_limit()
    before = len(house.sent())

    is_sold_elsewhere(house, sold)

    assert house.sent()[before:] == then
    assert [o.remaining for o in house.desk.ledger.working()] == left


def test_reduction_permits_only_less_of_the_same() -> None:
    """OP-02: less of the very same, in its place"""
    house = a_bracket(LONG)
    stop = leg(house, LegRole.STOP)
    less = replace(stop.request, client_order_id=ClientOrderId("less"), quantity=Quantity(Decimal(2)), replaces=stop.id)

    assert refusal_of_less(stop, less) is None
    for other in (
        replace(less, quantity=Quantity(Decimal(7))),
        replace(less, stop_price=Price(Decimal(98))),
        replace(less, side=Side.BUY),
        replace(less, replaces=None),
        replace(less, effect=Effect.SHORT),
    ):
        assert refusal_of_less(stop, other) is not None
    assert refusal_of_less(None, less) is not None


@pytest.mark.parametrize("unlinked", [True, False], ids=["no links", "linked"])
@pytest.mark.parametrize(("volume", "sold"), [(30, 3), (1000, 6)], ids=["half", "whole"])
@SIDES
def test_target_fill_reduces_its_own_stop_only(side: dict[str, object], volume: int, sold: int, unlinked: bool) -> None:
    """EX-13: the stop of the same owner's older shares was cut or cancelled, and these stayed bare"""
    house = a_bracket(side, a_bar("10:11", str(side["to_target"]), volume=volume), unlinked=unlinked)
    plain = replace(
        a_typed_buy("4"),
        effect=side["effect"],
        limit_price=Price(Decimal(str(side["limit"]))),
        stop_price=Price(Decimal(str(side["beyond"]))),
    )
    house.presses(plain)
    confirms_now(house)
    house.until("10:08")
    other = next(o for o in house.stops if o.request.stop_price == Decimal(str(side["beyond"])))
    assert abs(Decimal(house.held())) == 10

    house.until("10:12:30")

    assert leg(house, LegRole.TARGET).filled_quantity == sold
    assert (other.status, other.remaining, other.replacement, other.replaced_by) == (SUBMITTED, 4, None, None)
    assert sum(o.remaining for o in house.stops if o.is_working) == 10 - sold


def test_kill_keeps_a_stop_that_fits() -> None:
    """OP-07: what is held keeps its stop"""
    house = a_bracket(LONG)

    house.presses(Kill("the operator"))
    house.until("10:07")

    assert house.sent() == [BUY]
    assert could_open(house) == []


@pytest.mark.usefixtures("a_bar_at_once")
def test_kill_reduces_the_stop_of_a_half_filled_target(snapshot: SnapshotAssertion) -> None:
    """OP-07, EX-13"""
    house = a_bracket(LONG, *three_and_three(LONG))
    house.until("10:11")
    house.line.breaks_at(LookUpOrder, arrives=False, times=99)
    while not leg(house, LegRole.TARGET).filled_quantity:
        house.until_moment(house.line.at + timedelta(milliseconds=100))
    kill = ViewBuilder(house.engine).draw(house.line.at).kill
    before = house.sent()

    house.presses(Kill("the operator"))
    house.until_moment(house.line.at + timedelta(seconds=1))

    assert [(row.type, row.marks_in_words) for row in kill.too_large] == [(OrderType.STOP, snapshot)]
    assert before == [BUY]
    assert house.sent()[1:] == [("replace", "sell", "stop", "3")]
    assert ViewBuilder(house.engine).draw(house.line.at).kill.too_large == ()
