"""The broker gave an id of ours to an order that the restored folder does not know, and lists it no more (EX-24)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.execution.stop_coverage import refusal_of_again
from core.messages.commands import (
    AcceptBooks,
    Kill,
    OpenTicket,
    ProposeClose,
    ProposeFlattening,
    RequestCancel,
)
from core.messages.effects import Effect, ReplaceOrder, SubmitOrder
from core.model.basket import BasketSource
from core.model.broker import BrokerBooks
from core.model.codes import AuthorizationCode, DeskState, EndCode, ReadOnlyCode
from core.model.notice import NoticeKind
from core.model.order import OrderRequest, OrderStatus, OrderType, Side, order_id_of
from core.model.reconciliation import ACCEPT
from core.model.staging import MANUAL
from core.model.values import ClientOrderId, Price, Quantity, Symbol
from core.settings.settings import Settings
from tests.scenarios.changes import ROOMY, confirms_now, moves, passes
from tests.scenarios.house import (
    STEADY,
    House,
    a_house_in_a_position,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.plans import a_house_that_holds, marks, opens, runs_out, signs
from tests.scenarios.receivers import settings as notified
from tests.unit.core.brokers.trading_floor import SPY

BARS = ("10:06", "11:00", STEADY)
EIGHT_DAYS = timedelta(days=8)


def unlisted(house: House, *order_ids: ClientOrderId) -> None:
    """From here on these orders have left the broker's list."""
    picture = house.exchange.books

    def without(at: datetime) -> BrokerBooks:
        books = picture(at)
        return replace(books, orders=tuple(r for r in books.orders if r.client_order_id not in order_ids))

    house.exchange.books = without  # type: ignore[method-assign]


def was_taken(house: House, order_id: ClientOrderId, age: timedelta) -> None:
    """The broker took this order so long ago."""
    book = house.exchange._book
    order = book.find(order_id)
    assert order is not None
    order.accepted_at -= age
    book._has_changed(order)


def with_an_older_folder(settings: Settings | None = None) -> tuple[House, ClientOrderId]:
    """A position with its stop; the folder is from before a typed entry that was cancelled and has left the list."""
    house = a_house_in_a_position(BARS, settings=settings).until("10:07:30")
    before = list(house.journal.records())[-1].sequence
    house.presses(a_typed_buy(limit="99.00", stop="98.50"))
    house.confirms_at("10:08")
    house.until("10:08:10")
    typed = order_id_of(MANUAL, house.desk.control.state.installation or "", "1")
    house.presses(RequestCancel(typed))
    house.until("10:08:30")
    assert house.desk.ledger.order(typed).status is OrderStatus.CANCELLED  # type: ignore[union-attr]
    house.loses_the_journal_after(before)
    unlisted(house, typed)
    was_taken(house, typed, EIGHT_DAYS)
    house.restarted().until("10:11")
    assert house.desk.control.word() is DeskState.ON
    return house, typed


class Taken:
    """The broker had these orders' ids before: it gave each to an order that it cancelled, and lists it no more."""

    def __init__(self, house: House, which: Callable[[OrderRequest], bool], age: timedelta = EIGHT_DAYS) -> None:
        self.house, self.which, self.age = house, which, age
        self.ids: list[ClientOrderId] = []
        house.line.tamper = self._before

    def _before(self, effect: Effect) -> Effect:
        if isinstance(effect, SubmitOrder | ReplaceOrder) and self.which(effect.order):
            self._take(effect.order.client_order_id)
        return effect

    def _take(self, order_id: ClientOrderId) -> None:
        house, exchange = self.house, self.house.exchange
        if order_id in self.ids:
            return
        self.ids.append(order_id)
        at, other = house.line.at, replace(a_resting_buy(), client_order_id=order_id)
        exchange.submit(at, other)
        exchange.cancel(at, order_id)
        exchange.take_updates()
        del house.notebook.records[-2:]
        unlisted(house, order_id)
        was_taken(house, order_id, self.age)


def a_resting_buy() -> OrderRequest:
    terms = a_typed_buy("0.1", limit="99.00")
    return OrderRequest(
        ClientOrderId(""), SPY, Side.BUY, terms.effect, Quantity(Decimal("0.1")), OrderType.LIMIT,
        limit_price=Price(Decimal("99.00")),
    )  # fmt: skip


def once_each(kind: Callable[[OrderRequest], bool]) -> Callable[[OrderRequest], bool]:
    """The first request of a kind of each symbol and quantity."""
    seen: set[object] = set()

    def which(order: OrderRequest) -> bool:
        its = order.symbol, order.quantity
        is_first = kind(order) and its not in seen
        seen.update([its] if is_first else [])
        return is_first

    return which


def is_sale(order: OrderRequest) -> bool:
    return order.side is Side.SELL and order.type is OrderType.MARKET


def is_stop(order: OrderRequest) -> bool:
    return order.side is Side.SELL and order.type.is_stop


def is_entry(order: OrderRequest) -> bool:
    return not order.effect.only_reduces


def again(house: House) -> list[tuple[EndCode, OrderStatus]]:
    """How the first of each pair ended, and what became of the order that was sent again for it."""
    orders = house.desk.ledger.state.orders
    return [(orders[one.again_of].end_code, one.status) for one in orders.values() if one.again_of is not None]


def closes(house: House, quantity: str | None = None) -> None:
    house.presses(ProposeClose(SPY, quantity=None if quantity is None else Quantity(Decimal(quantity))))
    confirms_now(house)


def until_the_proof(house: House) -> None:
    for _ in range(200):
        if house.facts(facts.UnknownOrdersFound):
            return
        passes(house, 0.05)
    raise AssertionError("no id was found to be taken")


def accepts_what_is_shown(house: House) -> None:
    house.presses(AcceptBooks(ACCEPT, house.desk.control.state.differences))


# ── exits ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_close_with_a_taken_id_is_sent_again_once() -> None:
    """EX-24: the first key sells, under a new id and the same authorization; the stop stays away"""
    house, typed = with_an_older_folder()
    before = house.desk.control.state.installation
    sent = len(house.requests())
    closes(house)
    passes(house, 2)
    after, name = house.requests()[sent:], house.desk.control.state.installation
    passes(house, 120)

    assert house.held() == house.held_by_the_broker() == "0"
    assert after == house.requests()[sent:]
    assert after.count("submit sell market 0.502") == 2  # one of them is refused
    assert again(house) == [(EndCode.SENT_AGAIN, OrderStatus.FILLED)]
    assert [one for one in after if "stop" in one] == []
    (found,) = house.facts(facts.UnknownOrdersFound)
    assert (found.client_order_ids, found.name) == ((typed,), name)
    assert name != before
    assert len(house.facts(facts.TradeClosed)) == 1
    assert_can_be_rebuilt(house)


def test_the_first_taken_id_shuts_entries_at_once() -> None:
    """EX-24: read-only in the act of the answer, by name, and with what a person is to accept"""
    house, typed = with_an_older_folder()
    closes(house)
    until_the_proof(house)

    failed = house.last(facts.ReconciliationFailed)
    assert failed.code is ReadOnlyCode.OLDER
    assert [d.note.split()[0] for d in failed.differences] == [typed]
    assert house.desk.control.word() is DeskState.READ_ONLY
    assert house.desk.control.refusal() is not None


def test_the_first_taken_id_is_an_urgent_notice(snapshot: SnapshotAssertion) -> None:
    """EX-24, SY-03: on every channel for urgent ones, once, whatever else the desk does"""
    house, _ = with_an_older_folder(notified())
    closes(house)
    passes(house, 60)

    urgent = [one.notice for one in house.facts(facts.NotificationDue) if one.notice.is_urgent]
    assert [notice.kind for notice in urgent] == [NoticeKind.HALT]
    assert urgent[0].words == snapshot


@pytest.mark.parametrize(("restarts", "by_command"), [(False, False), (True, False), (False, True)])
def test_no_list_ends_the_doubt_until_a_person_accepts(restarts: bool, by_command: bool) -> None:
    """EX-24, EX-09: the broker never lists that order again; the typed word ends it, also for the next start"""
    house, _ = with_an_older_folder()
    closes(house)
    passes(house, 5)
    name = house.desk.control.state.installation
    if restarts:
        house.restarted()
    passes(house, 180)
    before = house.desk.control.word(), house.desk.control.state.installation
    if by_command:
        house.accepts(house.exchange.books(house.line.at))
    else:
        accepts_what_is_shown(house)
    passes(house, 5)
    after = house.desk.control.word()
    house.restarted()
    passes(house, 30)

    assert before == (DeskState.READ_ONLY, name)
    assert after is house.desk.control.word() is DeskState.ON
    assert len(house.facts(facts.UnknownOrdersFound)) == 1
    assert_can_be_rebuilt(house)


def test_later_orders_have_the_new_name() -> None:
    """EX-24, EX-04: after the first answer the next key is refused no more"""
    house, _ = with_an_older_folder()
    closes(house, "0.2")
    passes(house, 10)
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 10)

    assert house.held() == house.held_by_the_broker() == "0"
    assert len(house.facts(facts.UnknownOrdersFound)) == 1
    assert [code for code, _ in again(house)] == [EndCode.SENT_AGAIN]


def test_a_part_is_sold_and_the_rest_keeps_its_stop() -> None:
    """EX-24, EX-21: the sale that was sent again is the close's own: its stop goes back for what it leaves"""
    house, _ = with_an_older_folder()
    closes(house, "0.2")
    passes(house, 10)

    assert house.held() == house.held_by_the_broker() == "0.302"
    assert [stop.remaining for stop in house.stops if stop.is_working] == [Decimal("0.302")]
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.302")


def test_a_restored_stop_with_a_taken_id_is_sent_again() -> None:
    """EX-24, EX-21: the stop of what a close leaves; the same shares, at the same price"""
    house = a_house_in_a_position(BARS).until("10:09")
    Taken(house, once_each(is_stop))
    closes(house, "0.2")
    passes(house, 10)

    assert again(house) == [(EndCode.SENT_AGAIN, OrderStatus.SUBMITTED)]
    assert [(s.remaining, s.request.stop_price) for s in house.stops if s.is_working] == [
        (Decimal("0.302"), Decimal("99.30"))
    ]
    assert house.facts(facts.StopAskedFor) == []
    assert house.desk.stage.proposals() == ()
    assert_can_be_rebuilt(house)


def test_the_stop_of_a_fill_with_a_taken_id_is_sent_again() -> None:
    """EX-24, OP-06: the shares just bought wait for no key"""
    house = House(minutes("09:45", "10:30", STEADY)).opens().until("10:05")
    Taken(house, once_each(is_stop))
    house.presses(a_typed_buy("0.5", limit=None))
    confirms_now(house)
    passes(house, 10)

    assert house.held() == house.held_by_the_broker() == "0.5"
    assert again(house) == [(EndCode.SENT_AGAIN, OrderStatus.SUBMITTED)]
    assert house.desk.ledger.exits.covered(SPY, MANUAL) == Decimal("0.5")
    assert house.facts(facts.StopOwed) == []
    assert house.desk.stage.proposals() == ()


def test_two_exits_refused_in_the_same_moment_go_once_each() -> None:
    """EX-24: of two owners; each under an id of its own"""
    house = a_house_in_a_position(BARS).until("10:06:40")
    house.presses(a_typed_buy("0.1", limit=None))
    confirms_now(house)
    house.until("10:09")
    Taken(house, once_each(is_sale))
    house.presses(ProposeClose(SPY, strategy="vwap"))
    house.presses(ProposeClose(SPY, strategy=MANUAL))
    for proposal in house.desk.stage.proposals():
        house.presses(OpenTicket(proposal.id))
        passes(house, 0.5)
        house.confirms()
    passes(house, 30)

    assert house.held() == house.held_by_the_broker() == "0"
    assert again(house) == [(EndCode.SENT_AGAIN, OrderStatus.FILLED)] * 2
    assert len({o.id for o in house.desk.ledger.state.orders.values() if o.again_of is not None}) == 2
    assert sorted(house.requests().count(f"submit sell market {q}") for q in ("0.502", "0.1")) == [2, 2]


def test_a_flattening_goes_under_new_ids() -> None:
    """EX-24, OP-07: each of its sales, and its report tells what they sold"""
    house = a_house_that_holds("AAA", "BBB")
    passes(house, 70)
    Taken(house, once_each(is_sale))
    house.presses(ProposeFlattening())
    opens(house, source=BasketSource.FLATTEN)
    marks(house)
    signs(house)
    report = runs_out(house)

    assert [house.held_by_the_broker(Symbol(symbol)) for symbol in ("AAA", "BBB")] == ["0", "0"]
    assert [(line.status, line.filled) for line in report.lines] == [(OrderStatus.FILLED, 50)] * 2
    assert report.left == ()


def test_a_kill_still_closes_under_a_new_id() -> None:
    """EX-24, OP-07: killed, a confirmed close is sent again all the same"""
    house, _ = with_an_older_folder()
    house.presses(Kill("the operator"))
    closes(house)
    passes(house, 10)

    assert house.held() == house.held_by_the_broker() == "0"
    assert again(house) == [(EndCode.SENT_AGAIN, OrderStatus.FILLED)]


# ── what is not sent again ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("quantity", ["0.5", "15"])
def test_an_entry_with_a_taken_id_ends(quantity: str) -> None:
    """EX-24, OP-02: also one with legs; a person decides"""
    house = House(minutes("09:45", "10:30", STEADY), ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    Taken(house, once_each(is_entry))
    house.presses(a_typed_buy(quantity, limit=None))
    confirms_now(house)
    passes(house, 60)

    assert (house.entry.status, house.entry.end_code) == (OrderStatus.REJECTED, EndCode.ID_TAKEN)
    assert house.held() == house.held_by_the_broker() == "0"
    assert len(house.facts(facts.OrderCreated)) == 1
    assert house.last(facts.ReconciliationFailed).code is ReadOnlyCode.OLDER


def test_a_move_with_a_taken_id_leaves_the_stop() -> None:
    """EX-24, EX-13: the stop works on at its price, and a person moves it again"""
    house = a_house_in_a_position(BARS).until("10:09")
    Taken(house, once_each(is_stop))
    for _ in range(2):
        moves(house, "99.40")
        confirms_now(house)
        passes(house, 5)

    replacements = [o for o in house.desk.ledger.state.orders.values() if o.request.replaces is not None]
    assert [o.end_code for o in replacements] == [EndCode.ID_TAKEN, EndCode.AS_ITS_STATE_SAYS]
    assert [(s.request.stop_price, s.remaining) for s in house.stops if s.is_working] == [
        (Decimal("99.40"), Decimal("0.502"))
    ]


def test_a_new_id_that_is_taken_too_ends_it() -> None:
    """EX-24: sent again once; the stop is back, and the next key decides"""
    house = a_house_in_a_position(BARS).until("10:09")
    Taken(house, is_sale)
    closes(house)
    passes(house, 60)

    assert [o.end_code for o in house.desk.ledger.state.orders.values() if is_sale(o.request)] == [
        EndCode.SENT_AGAIN,
        EndCode.ID_TAKEN,
    ]
    assert house.held() == house.held_by_the_broker() == "0.502"
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")
    assert house.last(facts.AuthorizationEnded).code is AuthorizationCode.ASKED_AGAIN


@pytest.mark.parametrize("age", [timedelta(seconds=3), timedelta(hours=14)])
def test_an_order_of_a_moment_before_stops_an_exit(age: timedelta) -> None:
    """EX-24, EX-23: with clocks apart it may be this very sale; nothing is sent twice, and the stop is back"""
    house = a_house_in_a_position(BARS).until("10:09")
    Taken(house, once_each(is_sale), age)
    closes(house)
    passes(house, 60)

    assert house.sale.end_code is EndCode.ID_TAKEN
    assert again(house) == []
    assert house.held_by_the_broker() == "0.502"
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.502")


@pytest.mark.parametrize("age", [timedelta(0), timedelta(days=2)])
def test_another_keyturn_that_has_just_sold_stops_an_exit(age: timedelta) -> None:
    """EX-24: a copy of the folder sold the shares under this id after the books were read: a second sale would open"""
    house = a_house_in_a_position(("10:06", "10:30", "99.60")).until("10:09")
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    sale = house.ticket.order
    (stop,) = house.stops
    exchange, at = house.exchange, house.line.at
    exchange.cancel(at, stop.id)
    exchange.submit(at, sale)
    house.line.is_deaf = True
    was_taken(house, sale.client_order_id, age)
    passes(house, 5)
    house.confirms()
    sent = len(house.requests())
    passes(house, 300)

    assert again(house) == []
    assert house.held_by_the_broker() == "0"
    assert house.sale.end_code is EndCode.ID_TAKEN
    assert house.requests()[sent:] == ["cancel", "submit sell market 0.502"]


def test_our_own_order_behind_a_lost_answer_is_adopted() -> None:
    """EX-24, EX-06: sent again in doubt it is refused so; the broker took it after the key, so it is ours"""
    house = a_house_in_a_position(BARS)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.is_deaf = True
    house.confirms()
    passes(house, 1)
    request, approval = house.sale.request, house.last(facts.ApprovalRedeemed).approval
    house.line.take(house.line.at, house.line.ask(SubmitOrder(request, approval)))
    passes(house, 30)

    assert (house.held(), house.sale.status) == ("0", OrderStatus.FILLED)
    assert house.facts(facts.UnknownOrdersFound) == []
    assert again(house) == []


def test_only_the_same_exit_is_sent_again() -> None:
    """EX-24, OP-02: what was signed permits no other order, and none for one that the broker has"""
    house = a_house_in_a_position(BARS)
    (stop,) = house.stops
    same = replace(stop.request, client_order_id=ClientOrderId("again"))
    unanswered = replace(stop, status=OrderStatus.PENDING)

    assert refusal_of_again(unanswered, same) is None
    for other in (
        replace(same, quantity=Quantity(Decimal("0.1"))),
        replace(same, stop_price=Price(Decimal(98))),
        replace(same, side=Side.BUY),
        replace(same, replaces=stop.id),
    ):
        assert refusal_of_again(unanswered, other) is not None
    for old in (None, stop, house.entry, replace(unanswered, again_of=ClientOrderId("first"))):
        assert refusal_of_again(old, same) is not None


# ── a crash between ──────────────────────────────────────────────────────────────────────────────────────────────────


ACT = (
    facts.OrderStateUnknown,
    facts.UpdateIgnored,
    facts.UnknownOrdersFound,
    facts.ApprovalRedeemed,
    facts.OrderCreated,
    facts.OrderStateChanged,
)
"""What is recorded from the refusal to the end of the first order, in this order."""


@pytest.mark.parametrize("last", ACT)
def test_a_crash_between_refusal_and_resend_doubles_nothing(last: type[facts.Fact]) -> None:
    """EX-24, EX-20: of the act only the records up to this one reach the disk, and nothing of it left"""
    house, _ = with_an_older_folder()
    closes(house)
    until_the_proof(house)
    house.loses_the_journal_after([r.sequence for r in house.journal.records() if type(r.fact) is last][-1])
    sent = len(house.requests())
    house.restarted()
    passes(house, 200)

    assert house.held() == house.held_by_the_broker() == "0"
    assert house.requests()[sent:].count("submit sell market 0.502") <= 2
    assert len([o for o in house.desk.ledger.state.orders.values() if is_sale(o.request) and o.filled_quantity]) == 1
    assert_can_be_rebuilt(house)
