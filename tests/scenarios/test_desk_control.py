"""Several desks watch one engine, and one of them holds the key: what each may say, and what a hand-over closes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.command_ports import as_late
from core.messages.commands import (
    AnswerBasket,
    Command,
    Confirm,
    Decline,
    Halt,
    Kill,
    MarkInBasket,
    OpenBasket,
    OpenTicket,
    OverrideProtection,
    ProposeClose,
    Rearm,
    RequestCancel,
    Resume,
    SignBasket,
)
from core.messages.desk_commands import DetachDesk, LookAt, LoseDesk, ServeDesks, TakeKey
from core.model.basket import BasketEnd, BasketSource
from core.model.codes import Denial, HaltCause, KeyEnd, TicketEnd
from core.model.desk import DeskNumber, KeyTurn, PaintProof
from core.model.values import TicketId
from core.views.builders.desk import ViewBuilder
from core.workflows.baskets import BasketDrafts, digest_now, rehearsed
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_house_with_a_proposal, a_typed_buy
from tests.unit.core.brokers.trading_floor import SPY


def takes(house: House, desk: DeskNumber, word: str = "TAKE") -> None:
    house.presses_at(desk, TakeKey(word, house.desk.desks.hold))


def two_desks(house: House) -> tuple[DeskNumber, DeskNumber]:
    """Adam holds the key, and Eve watches."""
    return house.attaches("adam"), house.attaches("eve", terminal="/dev/pts/4")


def a_house_with_two_desks() -> tuple[House, DeskNumber, DeskNumber]:
    house = a_house_with_a_proposal()
    return house, *two_desks(house)


def with_the_ticket_open() -> tuple[House, DeskNumber, DeskNumber]:
    """It is 10:06:01, and Adam has had the entry's ticket open for 0.9 s."""
    house, adam, eve = a_house_with_two_desks()
    house.presses_at(adam, OpenTicket(house.proposal.id))
    return house.until("10:06:01"), adam, eve


def test_the_first_desk_has_control(snapshot: SnapshotAssertion) -> None:
    """OP-13"""
    house, adam, eve = a_house_with_two_desks()

    assert (adam, eve) == (1, 2)
    assert [fact.seat.user for fact in house.facts(facts.DeskAttached)] == ["adam", "eve"]
    assert house.facts(facts.KeyTaken) == [facts.KeyTaken(adam, hold=1)]
    view = ViewBuilder(house.engine).draw(house.line.at).status.key
    assert view.holder is not None
    assert (view.holder.seat.user, view.holder.seat.in_words, view.hold) == ("adam", snapshot, 1)
    assert [row.number for row in view.desks] == [adam, eve]
    assert view.is_held_by(adam)
    assert not view.is_held_by(eve)


def test_a_desk_without_a_terminal_never_has_control() -> None:
    """OP-13"""
    house = a_house_with_a_proposal()

    robot = house.attaches("robot", terminal="")
    takes(house, robot)

    assert house.facts(facts.KeyTaken) == []
    assert house.last(facts.CommandRefused).code is Denial.NO_TERMINAL


def test_taking_control_from_active_needs_the_word() -> None:
    """OP-13"""
    house, adam, eve = a_house_with_two_desks()

    takes(house, eve, word="")
    assert house.last(facts.CommandRefused).code is Denial.WORD
    assert house.last(facts.CommandRefused).code is Denial.WORD
    assert ViewBuilder(house.engine).draw(house.line.at).status.key.takes_word
    takes(house, eve)

    assert house.last(facts.KeyTaken) == facts.KeyTaken(eve, hold=2, before=adam, was_active=True)


def test_taking_control_from_idle_needs_no_word() -> None:
    """OP-13"""
    house, adam, eve = a_house_with_two_desks()
    house.presses_at(adam, LookAt(SPY))
    begun = house.line.at

    house.until_moment(begun + timedelta(seconds=60))
    takes(house, eve, word="")
    assert house.last(facts.KeyTaken).desk == adam
    house.until_moment(begun + timedelta(seconds=61))
    takes(house, eve, word="")

    assert house.last(facts.KeyTaken) == facts.KeyTaken(eve, hold=2, before=adam)


def test_the_first_of_two_takers_has_control() -> None:
    """OP-13"""
    house, adam, eve = a_house_with_two_desks()
    carl = house.attaches("carl", terminal="/dev/pts/5")

    seen = house.desk.desks.hold
    house.presses_at(eve, TakeKey("TAKE", seen))
    house.presses_at(carl, TakeKey("TAKE", seen))

    assert [(fact.desk, fact.before) for fact in house.facts(facts.KeyTaken)] == [(adam, None), (eve, adam)]
    assert (house.last(facts.CommandRefused).code, house.last(facts.CommandRefused).desk) == (Denial.OTHER_HOLD, carl)


def test_leaving_frees_control_at_once(snapshot: SnapshotAssertion) -> None:
    """OP-13"""
    house, adam, eve = with_the_ticket_open()

    house.presses_at(adam, DetachDesk())

    assert house.last(facts.KeyFreed) == facts.KeyFreed(adam, KeyEnd.LEFT)
    assert house.last(facts.TicketClosed).code is TicketEnd.HANDED_OVER
    house.presses_at(eve, OpenTicket(house.proposal.id))
    assert house.last(facts.CommandRefused).code is Denial.NOT_HOLDER
    takes(house, eve, word="")
    assert house.last(facts.KeyTaken) == facts.KeyTaken(eve, hold=2)


@pytest.mark.parametrize(("seconds", "has_it"), [(59, True), (60, False), (61, False)])
def test_a_dead_link_keeps_control_for_a_minute(seconds: int, has_it: bool) -> None:
    """OP-13: then it is free, and goes to nobody who does not take it"""
    house, adam, eve = with_the_ticket_open()
    lost_at = house.line.at
    house.presses_at(adam, LoseDesk())
    assert house.last(facts.TicketClosed).code is TicketEnd.HANDED_OVER
    assert house.last(facts.DeskLost) == facts.DeskLost(adam, lost_at + timedelta(seconds=60))

    house.until_moment(lost_at + timedelta(seconds=seconds))
    assert (house.desk.desks.holder is not None) is has_it
    assert house.attaches("adam", returning=adam) == adam

    assert house.desk.desks.is_holder(adam) is has_it
    assert house.desk.desks.hold == 1
    assert house.last(facts.DeskAttached).is_back
    assert [fact.end for fact in house.facts(facts.KeyFreed)] == ([] if has_it else [KeyEnd.LAPSED])
    assert not house.desk.desks.is_holder(eve)


@pytest.mark.parametrize("seconds", [0, 29, 59.9])
def test_control_of_a_lost_link_needs_the_word(seconds: float) -> None:
    """OP-13: the holder keeps it for 60 s; also where nothing was said there for longer"""
    house, adam, eve = a_house_with_two_desks()
    house.until_moment(house.line.at + timedelta(seconds=90))
    house.presses_at(adam, LoseDesk())
    house.until_moment(house.line.at + timedelta(seconds=seconds))

    takes(house, eve, word="")
    assert house.last(facts.CommandRefused).code is Denial.WORD
    assert ViewBuilder(house.engine).draw(house.line.at).status.key.takes_word
    takes(house, eve)

    assert house.last(facts.KeyTaken) == facts.KeyTaken(eve, hold=2, before=adam, was_active=True)
    house.attaches("adam", returning=adam)
    assert house.desk.desks.is_holder(eve)


def test_a_returning_desk_begins_with_no_ticket() -> None:
    """OP-13"""
    house, adam, _ = with_the_ticket_open()

    assert house.attaches("adam", returning=adam) == adam

    assert house.last(facts.TicketClosed).code is TicketEnd.HANDED_OVER
    assert house.desk.desks.is_holder(adam)


def test_nobody_holds_the_key_after_a_restart() -> None:
    """OP-13"""
    house, _, eve = a_house_with_two_desks()

    house = house.restarted()
    assert house.desk.desks.holder is None
    house.presses_at(eve, OpenTicket(house.proposal.id))
    assert house.last(facts.CommandRefused).code is Denial.NOT_ATTACHED

    assert house.attaches("adam") == 3
    assert house.last(facts.KeyTaken) == facts.KeyTaken(DeskNumber(3), hold=2)


def test_a_watcher_confirms_nothing(snapshot: SnapshotAssertion) -> None:
    """OP-13"""
    house, _, eve = with_the_ticket_open()

    house.confirms_at_desk(eve)
    house.until("10:06:10")

    assert house.facts(facts.ConfirmationReceived) == []
    assert house.facts(facts.OrderCreated) == []
    refused = house.last(facts.CommandRefused)
    assert (refused.command, refused.code, refused.desk) == ("Confirm", Denial.NOT_HOLDER, eve)
    assert refused.reason == snapshot


@pytest.mark.parametrize(
    "command",
    [Resume(), Rearm("REARM"), a_typed_buy(), ProposeClose(SPY), OpenBasket(BasketSource.FLATTEN)],
    ids=lambda command: type(command).__name__,
)
def test_a_watcher_neither_opens_nor_loosens(command: Command) -> None:
    """OP-13"""
    house = a_house_in_a_position()
    _, eve = two_desks(house)
    house.presses_at(eve, Halt("key"))
    assert house.last(facts.Halted).cause is HaltCause.KEY
    before = len(house.told())

    house.presses_at(eve, command)

    assert house.told()[before:] == ["CommandRefused"]
    assert house.facts(facts.Resumed) == []


def test_a_watcher_declines_nothing() -> None:
    """OP-13"""
    house, _, eve = a_house_with_two_desks()

    house.presses_at(eve, Decline(house.proposal.id, "not mine"))

    assert house.last(facts.CommandRefused).command == "Decline"
    assert len(house.desk.stage.proposals()) == 1


def test_a_watcher_may_halt_and_kill() -> None:
    """OP-13, OP-07"""
    house, _, eve = a_house_with_two_desks()

    house.presses_at(eve, LookAt(SPY))
    house.presses_at(eve, Halt("key"))
    house.presses_at(eve, Kill("key"))

    assert house.facts(facts.CommandRefused) == []
    assert house.desk.control.killed_by == "key"


def test_a_watcher_cancels_an_entry_and_no_stop() -> None:
    """OP-13"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    adam, eve = two_desks(house)
    (stop,) = house.stops

    house.presses_at(eve, RequestCancel(stop.id))
    assert (house.last(facts.CommandRefused).command, house.facts(facts.CancelRequested)) == ("RequestCancel", [])
    house.presses_at(adam, a_typed_buy(limit="98", stop="97"))
    house.presses_at(adam, OpenTicket(house.proposal.id))
    house.until("10:06:32")
    house.confirms_at_desk(adam)
    house.until("10:06:40")
    entry = next(o for o in house.desk.ledger.working() if not o.only_reduces)
    house.presses_at(eve, RequestCancel(entry.id))

    assert [fact.client_order_id for fact in house.facts(facts.CancelRequested)] == [entry.id]


def test_a_detached_desk_may_only_halt() -> None:
    """OP-13, OP-07"""
    house, adam, _ = with_the_ticket_open()
    ticket = house.ticket
    house.presses_at(adam, LoseDesk())

    house.confirms_at_desk(adam, ticket)
    assert house.last(facts.CommandRefused).code is Denial.NOT_ATTACHED
    house.presses_at(adam, Halt("key"))

    assert HaltCause.KEY in house.desk.control.halts


def test_a_hand_over_closes_the_open_ticket(snapshot: SnapshotAssertion) -> None:
    """OP-13"""
    house, _, eve = with_the_ticket_open()
    ticket = house.ticket

    takes(house, eve)
    assert house.last(facts.TicketClosed) == facts.TicketClosed(ticket.id, snapshot, TicketEnd.HANDED_OVER)
    house.confirms_at_desk(eve, ticket)
    house.until("10:06:10")

    assert house.facts(facts.OrderCreated) == []


def test_no_ticket_opens_across_a_hand_over() -> None:
    """OP-13"""
    house, adam, eve = a_house_with_two_desks()
    house.slows_down(1)
    house.presses_at(adam, OpenTicket(house.proposal.id))

    takes(house, eve)
    house.until("10:06:10")

    assert house.desk.stage.state.tickets == {}


def test_no_confirmation_crosses_a_hand_over(snapshot: SnapshotAssertion) -> None:
    """OP-13"""
    house, adam, eve = with_the_ticket_open()
    house.slows_down(1)
    house.confirms_at_desk(adam)
    assert len(house.facts(facts.ConfirmationReceived)) == 1

    takes(house, eve)
    house.until("10:06:20")

    assert house.last(facts.ConfirmationRefused).reasons == snapshot
    assert house.facts(facts.OrderCreated) == []
    assert house.requests() == []


def test_no_confirmation_survives_its_holder() -> None:
    """OP-13"""
    house, adam, eve = with_the_ticket_open()
    house.slows_down(1)
    house.confirms_at_desk(adam)

    house.presses_at(adam, DetachDesk())
    takes(house, eve, word="")
    house.until("10:06:20")

    assert house.facts(facts.OrderCreated) == []


def test_a_confirmation_survives_a_dead_link() -> None:
    """OP-13"""
    house, adam, _ = with_the_ticket_open()
    house.slows_down(1)
    house.confirms_at_desk(adam)

    house.presses_at(adam, LoseDesk())
    house.until("10:06:20")

    assert len([order for order in house.desk.ledger.state.orders.values() if not order.only_reduces]) == 1


def test_a_recorded_exit_survives_a_hand_over() -> None:
    """OP-13, EX-21"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    adam, eve = two_desks(house)
    house.presses_at(adam, ProposeClose(SPY))
    house.presses_at(adam, OpenTicket(house.proposal.id))
    house.until("10:06:32")
    house.slows_down(0.3)
    house.confirms_at_desk(adam)
    house.until_moment(house.line.at + timedelta(milliseconds=700))
    assert (house.facts(facts.CancelRequested) != [], house.held()) == (True, "0.502")

    takes(house, eve)
    house.until("10:07:30")

    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


def test_an_older_hold_refuses_a_confirmation() -> None:
    """OP-13"""
    house, adam, eve = with_the_ticket_open()
    ticket = house.ticket
    takes(house, eve)
    takes(house, adam)

    house.confirms_at_desk(adam, ticket, hold=1)

    assert (house.last(facts.CommandRefused).code, house.desk.desks.hold) == (Denial.OTHER_HOLD, 3)


def test_an_unpainted_confirmation_is_refused() -> None:
    """OP-04, OP-13"""
    house, adam, _ = with_the_ticket_open()
    ticket = house.ticket

    house.presses_at(adam, Confirm(ticket.id, ticket.digest, ticket.order.effect, hold=1))

    assert house.last(facts.CommandRefused).code is Denial.UNPAINTED


def test_a_confirmation_records_desk_and_proof() -> None:
    """OP-13"""
    house, adam, _ = with_the_ticket_open()

    house.confirms_at_desk(adam)

    fact = house.last(facts.ConfirmationReceived)
    assert (fact.terminal, fact.user) == ("/dev/pts/3", "adam")
    assert fact.turn == KeyTurn(adam, 1, PaintProof.ANSWERED, "10.0.0.7")


def test_a_hand_over_closes_an_unsigned_basket() -> None:
    """OP-13, OP-05"""
    house, adam, eve = a_house_with_two_desks()
    house.presses_at(adam, OpenBasket(BasketSource.PROPOSALS))
    run = house.desk.plans.run
    assert run is not None
    house.presses_at(adam, MarkInBasket(run.id, house.proposal.id, is_marked=True))
    going = [t for t in rehearsed(house.desk, house.engine.the(BasketDrafts).gate, run) if t.fits]
    sign = SignBasket(run.id, digest_now(house.desk, run, going), hold=1, proof=PaintProof.TIMED)

    house.presses_at(eve, sign)
    assert house.last(facts.CommandRefused).command == "SignBasket"
    takes(house, eve)

    assert run.end is BasketEnd.LEFT


def test_a_desk_that_is_gone_is_lost_once() -> None:
    """OP-13: both of its connections tell it"""
    house, adam, _ = a_house_with_two_desks()

    house.presses_at(adam, LoseDesk())
    before = len(house.told())
    house.presses_at(adam, LoseDesk())
    house.presses_at(adam, DetachDesk())

    assert house.told()[before:] == []


@pytest.mark.parametrize("crashes", [True, False])
def test_a_restart_keeps_control_for_its_seat(crashes: bool) -> None:
    """OP-13: whoever is quicker watches; after a minute nobody has it who does not take it"""
    house = a_house_with_a_proposal()
    house.presses(ServeDesks())
    two_desks(house)
    if not crashes:
        house.line.stop("stopped by the operator")
    house.restarted()

    eve = house.attaches("eve", terminal="/dev/pts/4")
    takes(house, eve, word="")
    assert house.last(facts.CommandRefused).code is Denial.WORD
    assert house.desk.desks.holder is None
    adam = house.attaches("adam")
    assert house.desk.desks.is_holder(adam)
    assert house.last(facts.KeyTaken) == facts.KeyTaken(adam, hold=2)
    takes(house, eve)
    assert house.desk.desks.is_holder(eve)


def test_an_old_engine_keeps_control_for_nobody() -> None:
    """OP-13: who comes first the next day has it"""
    house = a_house_with_a_proposal()
    house.presses(ServeDesks())
    two_desks(house)
    house.line.stop("stopped by the operator")
    house.until("10:20")
    house.restarted()

    assert house.desk.desks.is_holder(house.attaches("eve", terminal="/dev/pts/4"))


def test_no_one_waits_for_a_desk_of_the_process() -> None:
    """OP-13: one process of both, as a demo is: another one, from another terminal, has it at once"""
    house, _, _ = a_house_with_two_desks()
    house.restarted()

    assert house.desk.desks.is_holder(house.attaches("adam", terminal="/dev/pts/9"))


def test_an_automatic_return_takes_no_control() -> None:
    """OP-13: nobody pressed a key for it"""
    house, adam, eve = a_house_with_two_desks()
    house.presses_at(adam, DetachDesk())
    house.presses_at(eve, LoseDesk())
    house.attaches("eve", returning=eve, terminal="/dev/pts/4")

    assert house.desk.desks.holder is None
    takes(house, eve, word="")
    assert house.desk.desks.is_holder(eve)


def test_the_journal_names_each_commands_desk() -> None:
    """OP-13: a press too, also where there is a halt already"""
    house, adam, eve = a_house_with_two_desks()
    house.presses_at(adam, Halt("key"))
    house.presses_at(eve, Halt("key"))
    house.presses_at(adam, Resume())
    house.presses_at(adam, LookAt(SPY))

    given = [(fact.desk, fact.command) for fact in house.facts(facts.CommandGiven)]
    assert given == [(adam, "Halt"), (eve, "Halt"), (adam, "Resume")]


@pytest.mark.parametrize(
    "command", [OverrideProtection("daily_loss", "global", "OVERRIDE"), AnswerBasket(TicketId("x"), goes_on=True)]
)
def test_a_late_loosening_command_is_refused(command: Command) -> None:
    """OP-04: its hand may have thought better of it"""
    house, adam, _ = a_house_with_two_desks()
    if isinstance(command, AnswerBasket):
        command = replace(command, hold=house.desk.desks.hold, proof=PaintProof.ANSWERED)
    house.presses_at(adam, as_late(command))

    assert house.last(facts.CommandRefused).code is Denial.LATE


def test_a_late_cancel_ends_only_entries() -> None:
    """OP-04, OP-07"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    adam, _ = two_desks(house)
    (stop,) = house.stops
    house.presses_at(adam, as_late(RequestCancel(stop.id)))

    assert house.last(facts.CommandRefused).code is Denial.LATE
    assert not stop.is_cancelling


def test_a_late_naked_kills_and_keeps_stops() -> None:
    """OP-07"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    adam, _ = two_desks(house)
    house.presses_at(adam, as_late(Kill("key", naked=True)))
    house.until("10:07")

    assert house.last(facts.CommandRefused).code is Denial.LATE
    assert house.desk.control.killed_by == "key"
    assert [stop.is_working for stop in house.stops] == [True]


def test_a_watchers_naked_kills_and_keeps_stops() -> None:
    """OP-13, OP-07"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    _, eve = two_desks(house)

    house.presses_at(eve, Kill("key", naked=True))
    house.until("10:07")

    assert house.last(facts.CommandRefused).code is Denial.NOT_HOLDER
    assert house.desk.control.killed_by == "key"
    assert [stop.is_working for stop in house.stops] == [True]


def test_a_signed_basket_survives_a_hand_over() -> None:
    """OP-13, OP-05: it stands on what was signed, and whoever has the key may stop it"""
    house, adam, eve = a_house_with_two_desks()
    house.presses_at(adam, OpenBasket(BasketSource.PROPOSALS))
    run = house.desk.plans.run
    assert run is not None
    house.presses_at(adam, MarkInBasket(run.id, house.proposal.id, is_marked=True))
    going = [t for t in rehearsed(house.desk, house.engine.the(BasketDrafts).gate, run) if t.fits]
    house.slows_down(1)
    house.presses_at(adam, SignBasket(run.id, digest_now(house.desk, run, going), hold=1, proof=PaintProof.TIMED))

    takes(house, eve)
    house.until("10:06:30")

    assert house.held() == "0.502"


def test_the_journal_names_no_connection() -> None:
    """OP-13"""
    house, *_ = a_house_with_two_desks()

    assert house.desk.sightings.links
    assert not any(link in repr(house.facts(facts.DeskAttached)) for link in house.desk.sightings.links)


def test_commands_of_the_process_need_no_desk() -> None:
    """OP-13"""
    house, _, _ = a_house_with_two_desks()

    house.confirms_at("10:06:02")
    house.until("10:06:10")

    assert house.held() == "0.502"
    assert house.last(facts.ConfirmationReceived).turn is None
