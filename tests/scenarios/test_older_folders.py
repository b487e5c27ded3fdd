"""A folder older than its account: the broker has orders of ours that the journal does not know (EX-24)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from core import facts
from core.messages.commands import ProposeClose
from core.messages.effects import FetchBooks, SubmitOrder
from core.messages.inputs import BooksFetched
from core.model.broker import BrokerBooks
from core.model.codes import DeskState, EndCode, ReadOnlyCode
from core.model.order import LegRole, OrderStatus, Side, order_id_of
from core.model.staging import MANUAL
from core.model.values import ClientOrderId, Quantity
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.elsewhere import is_changed_there
from tests.scenarios.house import (
    STEADY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    at,
    minutes,
)
from tests.scenarios.test_contradicting_reports import BrokersWord
from tests.unit.core.brokers.trading_floor import SPY

BARS = ("10:06", "11:00", STEADY)


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> BrokersWord:
    return BrokersWord(monkeypatch)


def a_house_that_bought_again() -> tuple[House, int, ClientOrderId]:
    """A manual order is filled; the last record before it was typed, and its id."""
    house = a_house_in_a_position(BARS).until("10:07:30")
    before = list(house.journal.records())[-1].sequence
    house.presses(a_typed_buy(limit=None))
    house.confirms_at("10:08")
    house.until("10:08:30")
    bought = order_id_of(MANUAL, house.desk.control.state.installation or "", "1")
    assert house.desk.ledger.order(bought) is not None
    return house, before, bought


def with_an_older_journal() -> tuple[House, ClientOrderId]:
    house, before, bought = a_house_that_bought_again()
    house.loses_the_journal_after(before)
    return house.restarted().until("10:08:40"), bought


def books_of(house: House) -> BrokerBooks:
    told = house.line.ask(FetchBooks())
    assert isinstance(told, BooksFetched)
    assert isinstance(told.answer, BrokerBooks)
    return told.answer


def test_orders_that_the_journal_lacks_are_found() -> None:
    """EX-24: read-only, listed, and nothing is corrected or sent"""
    house, bought = with_an_older_journal()
    sent = len(house.requests())
    house.until("10:12")

    assert bought in house.last(facts.UnknownOrdersFound).client_order_ids
    assert len(house.facts(facts.UnknownOrdersFound)) == 1
    assert house.last(facts.ReconciliationFailed).code is ReadOnlyCode.OLDER
    assert any(found.note.startswith(bought) for found in house.last(facts.ReconciliationFailed).differences)
    assert house.desk.control.refusal() is not None
    assert house.facts(facts.PositionCorrected) == []
    assert len(house.requests()) == sent
    assert house.held() != house.held_by_the_broker()
    assert_can_be_rebuilt(house)


def test_shares_of_unknown_orders_are_no_lost_orders(broker: BrokersWord) -> None:
    """EX-24, OP-02: an entry that the broker lost earlier bought none of them, and its ticket's stop is not sent"""
    house = House(minutes("09:55", "10:30", "100"), ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("6", limit="99", stop="98"))
    confirms_now(house)
    passes(house, 1)
    broker.changes[house.entry.id] = lambda _report: None
    house.until("10:10")
    lost, before = house.entry.end_code, list(house.journal.records())[-1].sequence
    house.presses(a_typed_buy("2", limit=None, stop="98"))
    confirms_now(house)
    house.until("10:11:30")
    house.loses_the_journal_after(before)
    house = house.restarted().until("10:12:30")
    house.accepts(books_of(house))
    house.until("10:14")

    assert (lost, house.held()) == (EndCode.LOST_THERE, "2")
    assert [stop.role for stop in house.stops] == [LegRole.STOP]
    assert house.last(facts.PositionCorrected).owners == ()


def test_a_waiting_proposal_that_was_sent_before_is_withdrawn() -> None:
    """EX-24, EX-04: a key on it would take over the older order and its fill"""
    house = a_house_in_a_position(BARS).until("10:07:30")
    house.presses(a_typed_buy(limit=None))
    (typed,) = [p for p in house.desk.stage.proposals() if p.strategy == MANUAL]
    before = list(house.journal.records())[-1].sequence
    house.confirms_at("10:08")
    house.until("10:08:30")
    house.loses_the_journal_after(before)
    house = house.restarted().until("10:08:40")

    assert typed.order.client_order_id in house.last(facts.UnknownOrdersFound).client_order_ids
    assert typed.id not in house.desk.stage.state.proposals
    assert house.last(facts.ProposalEnded).proposal_id == typed.id


def test_later_orders_get_ids_of_their_own() -> None:
    """EX-24, EX-04: the numbers go on past those that the broker knows"""
    house, bought = with_an_older_journal()
    house.accepts(books_of(house))
    house.presses(a_typed_buy())

    assert bought not in {p.id for p in house.desk.stage.state.proposals.values()}
    assert house.desk.ledger.order(bought) is None
    assert order_id_of(MANUAL, house.desk.control.state.installation or "", "1") != bought


def test_a_sale_that_never_arrived_ends_there_too() -> None:
    """EX-22, EX-24: permitted no more, it holds no shares that another exit would sell"""
    house, _ = with_an_older_journal()
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    house.line.breaks_at(SubmitOrder, arrives=False, times=9)
    house.confirms()
    house.until("10:20")

    assert house.sale.status is OrderStatus.CANCELLED


def test_what_a_person_accepted_is_found_no_more() -> None:
    """EX-24: the broker's quantity is taken over, and the next start trades"""
    house, bought = with_an_older_journal()
    house.accepts(books_of(house))
    house.until("10:09:30")
    after = house.held(), house.desk.control.word()
    house = house.restarted().until("10:10:30")

    assert bought in house.last(facts.UnknownOrdersAccepted).client_order_ids
    assert after[1] is house.desk.control.word() is DeskState.ON
    assert after[0] == house.held() == house.held_by_the_broker()
    assert len(house.facts(facts.UnknownOrdersFound)) == 1


def test_a_stop_beyond_what_both_books_show_is_cut() -> None:
    """EX-24, EX-13: nobody accepted yet; the broker makes a stop larger, and its shares are in no doubt"""
    house = a_house_in_a_position(BARS).until("10:07:30")
    (stop,) = house.stops
    before = list(house.journal.records())[-1].sequence
    house.presses(a_typed_buy(limit="99.00", stop="98.50"))
    house.confirms_at("10:08")
    house.until("10:08:30")
    house.loses_the_journal_after(before)
    house = house.restarted().until("10:09")
    assert house.desk.control.word() is DeskState.READ_ONLY
    is_changed_there(house, stop.id, quantity=Quantity(Decimal("0.902")))
    house.until("10:12")

    working = [o.request.quantity for o in house.exchange._book.all_working() if o.request.type.is_stop]
    assert working == [Decimal("0.502")]
    assert house.desk.control.word() is DeskState.READ_ONLY


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_leg_that_the_broker_raised_is_cut(when: str) -> None:
    """EX-24, EX-13: a leg of whole shares, raised before the folder was restored or since"""
    house = House(minutes("09:45", "10:40", "99.60"), ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("15", limit=None))
    confirms_now(house)
    house.until("10:06:30")
    (stop,) = house.stops
    before = list(house.journal.records())[-1].sequence
    house.presses(a_typed_buy("3", limit="99.00", stop="98.50"))
    confirms_now(house)
    house.until("10:08:30")
    house.loses_the_journal_after(before)
    if when == "before":
        is_changed_there(house, stop.id, quantity=Quantity(Decimal(30)))
    house = house.restarted().until("10:09")
    if when == "after":
        is_changed_there(house, stop.id, quantity=Quantity(Decimal(30)))
    house.until("10:14")

    working = [o for o in house.exchange._book.all_working() if o.request.type.is_stop and o.side is Side.SELL]
    guarding = sum(o.remaining for o in working if not o.is_held)
    assert (house.held(), house.held_by_the_broker(), guarding) == ("15", "15", 15)
    assert house.desk.ledger.exits.covered(SPY, MANUAL) == 15
    assert house.desk.control.word() is DeskState.READ_ONLY


def test_it_waits_over_a_restart() -> None:
    """EX-24: also after a crash, until a person accepts"""
    house, _ = with_an_older_journal()
    name = house.desk.control.state.installation
    house = house.restarted().until("10:09:30")

    assert house.desk.control.word() is DeskState.READ_ONLY
    assert house.desk.control.state.installation == name


def test_the_stop_of_a_known_entry_is_found() -> None:
    """EX-24, EX-22: the folder knows the entry; its fill and its stop came later, and the stop is not sent twice"""
    house = a_house_with_a_proposal(BARS)
    house.confirms_at("10:06:02")
    house.until("10:07:30")
    (stop,) = house.stops
    sent = [record.sequence for record in house.journal.records() if isinstance(record.fact, facts.OrderSent)]
    house.loses_the_journal_after(sent[0])
    house = house.restarted().until("10:12")

    assert stop.id in house.last(facts.UnknownOrdersFound).client_order_ids
    assert house.desk.control.word() is DeskState.READ_ONLY
    assert [r.symbol for r in house.exchange.orders(house.line.at) if r.side is Side.SELL] == [SPY]


def test_a_restore_knows_what_it_forgot() -> None:
    """EX-24, SP-04: orders from before the restore are no news"""
    house, before, _ = a_house_that_bought_again()
    house.loses_the_journal_after(before)
    at = house.line.at
    house.journal.append(at, facts.StateRestored(at, "a", 1, at, None))
    house = house.restarted().until("10:09:30")

    assert house.facts(facts.UnknownOrdersFound) == []


@pytest.mark.parametrize("accepts", [False, True])
def test_nothing_is_sent_where_an_order_is_unknown(accepts: bool) -> None:
    """EX-24, OP-06: the copy is from while an entry rested; its stop, which the folder lacks, rests at the broker"""
    bars = [*minutes("09:55", "10:09", "99.70"), *minutes("10:10", "10:59", "99.60")]
    house = House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:05")
    house.presses(a_typed_buy("0.5", limit="99.60", stop="99.30"))
    confirms_now(house)
    passes(house, 5)
    before = list(house.journal.records())[-1].sequence
    house.until("10:14")
    (stop,) = house.stops
    house.loses_the_journal_after(before)
    sent = len(house.requests())
    house = house.restarted()
    passes(house, 120)

    assert house.held() == house.held_by_the_broker() == "0.5"
    assert house.requests()[sent:] == []
    assert house.facts(facts.StopOwed) == []
    assert house.desk.stage.proposals() == ()
    if accepts:
        house.accepts(books_of(house))
        passes(house, 5)
        assert stop.id in house.last(facts.UnknownOrdersAccepted).client_order_ids
        assert house.restarted().until("10:18").desk.control.word() is DeskState.ON


def with_a_close_waiting_in_the_journal(*, arrives: bool) -> tuple[House, int]:
    """A journal that ends where a close's stop was gone, a minute later, and the number of requests before.

    The sale filled if it arrived at the broker.
    """
    house = a_house_in_a_position(BARS).until("10:07:30")
    (stop,) = house.stops
    house.presses(ProposeClose(SPY))
    if not arrives:
        house.line.breaks_at(SubmitOrder, arrives=False, times=9)
    house.confirms_at("10:08")
    house.until("10:08:05" if not arrives else "10:09:30")
    assert (house.held_by_the_broker() == "0") is arrives
    house.loses_the_journal_after(next(r.sequence for r in house.journal.records() if _ends(r.fact, stop.id)))
    house._take_up(at("10:09:40"))
    return house, len(house.requests())


def _ends(fact: facts.Fact, order_id: ClientOrderId) -> bool:
    return isinstance(fact, facts.OrderStateChanged) and fact.client_order_id == order_id and fact.after.is_terminal


def test_a_waiting_close_restores_no_stop_before_the_first_books() -> None:
    """EX-24, EX-21: the account has sold what the close in the journal waits to sell; a stop would sell it again"""
    house, sent = with_a_close_waiting_in_the_journal(arrives=True)
    house.opens().until("10:12")

    assert house.requests()[sent:] == []
    assert house.desk.control.word() is DeskState.READ_ONLY
    assert house.last(facts.UnknownOrdersFound).client_order_ids


@pytest.mark.parametrize("answers", [True, False])
def test_a_waiting_close_restores_its_stop_after_the_first_answer(answers: bool) -> None:
    """EX-24, EX-21, EX-22: also if the answer is that the books cannot be had"""
    house, sent = with_a_close_waiting_in_the_journal(arrives=False)
    if not answers:
        house.line.breaks_at(FetchBooks, arrives=False, times=99)
    house.opens().until("10:10")

    assert house.requests()[sent:] == ["submit sell stop 0.502"]
    assert house.desk.control.state.is_reconciled is answers


@pytest.mark.parametrize("lists", [1, 99])
@pytest.mark.parametrize("restarts", [False, True])
def test_one_empty_list_ends_no_doubt(lists: int, restarts: bool) -> None:
    """EX-24, EX-09: read-only ends by two readings ten seconds apart that list none of the orders"""
    house, _ = with_an_older_journal()
    picture, left = house.exchange.books, [lists]

    def without_orders(at: datetime) -> BrokerBooks:
        books = picture(at)
        left[0] -= 1
        return replace(books, orders=()) if left[0] >= 0 else books

    house.exchange.books = without_orders  # type: ignore[method-assign]
    if restarts:
        house.restarted()
    words, before = [], len(house.requests())
    for _ in range(9):
        passes(house, 1)
        words.append(house.desk.control.word())
        assert house.desk.may_have_unknown_orders(SPY)
    assert (set(words), house.requests()[before:]) == ({DeskState.READ_ONLY}, [])
    passes(house, 120)

    assert (house.last(facts.ReconciliationFailed).code is ReadOnlyCode.OLDER) is (lists == 1)
