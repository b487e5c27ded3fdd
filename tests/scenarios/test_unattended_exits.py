"""`u` on the ticket: its exits go out without a key, each checked afresh, and wait for one where anything is amiss."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Confirm, Decline, Halt, Kill, OpenTicket, ProposeOrder, TakeBackExits
from core.messages.effects import FetchFigures, SubmitOrder
from core.messages.inputs import BarArrived
from core.model.codes import AuthorizationCode, HaltCause
from core.model.order import OrderRequest
from core.model.signal import ExitReason
from core.model.staging import MANUAL, AuthorizationKind, digest_of_ticket
from core.model.values import ProposalId
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.views.order_chain import chain_of
from core.workflows.staging.ticket_checks import signed_in_words
from core.workflows.staging.unattended_exits import TAKEN_BACK
from tests.scenarios.changes import passes
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.requests import CANCEL, buy, requested, sell
from tests.scenarios.test_exit_rules import FLAT, exits, held_by_the_desk, with_rules
from tests.unit.core.brokers.trading_floor import SPY, at

UP = "101.60 101.60 101.60 101.60"
A_MOMENT = timedelta(milliseconds=50)
DOWN = "96.90 96.90 96.90 96.90"


def a_signed_house(*then: tuple[str, str, str], buys: ProposeOrder | None = None, **rules: Any) -> House:
    """It is 10:02: 0.1 SPY were bought at 99.60, and their exits were signed with `u`."""
    bars = minutes("09:55", "10:01", FLAT)
    for first, last, prices in then:
        bars += minutes(first, last, prices)
    house = House(bars, with_rules(**rules)).opens().until("10:00:30")
    house.presses(buys or held_by_the_desk())
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 1)
    attended = house.ticket
    house.presses(OpenTicket(house.proposal.id, unattended=True))
    passes(house, 1)
    assert house.ticket.digest != attended.digest
    assert not attended.unattended
    house.confirms()
    house.until("10:02")
    return house


@pytest.mark.parametrize(("prices", "reason"), [(UP, "TAKE_PROFIT"), (DOWN, "STOP_LOSS")])
def test_a_signed_exit_goes_out_by_itself(prices: str, reason: str) -> None:
    """OP-06, OP-02, ST-09: on fresh figures, through every check, as an order that a key sent."""
    house = a_signed_house(("10:02", "10:10", prices))

    house.until("10:05")

    assert house.held() == house.held_by_the_broker() == "0"
    (released,) = house.facts(facts.ExitReleased)
    trade = house.last(facts.TradeClosed).trade
    assert (trade.exit_reason.value, released.proposal_id) == (reason, trade.exit_order)
    assert released.authorization_id.endswith("-exits")
    chain = [type(record.fact).__name__ for record in chain_of(trade.exit_order, house.journal.records())]
    assert chain.index("ProposalStaged") < chain.index("ExitReleased") < chain.index("OrderApproved")
    assert_can_be_rebuilt(house)


def test_shares_that_were_let_out_count() -> None:
    """OP-06: 0.1 was signed and has gone out; the position was added to since, and waits for a key"""
    house = a_signed_house(("10:02", "10:10", UP))
    (use,) = house.desk.stage.authorizations(AuthorizationKind.EXITS)
    filled = house.entry
    house.desk.record(facts.ExitReleased(ProposalId(filled.id), use.authorization.id, filled.filled_quantity))

    house.until("10:05")

    assert house.held() == "0.1"
    assert [p.is_exit for p in house.desk.stage.proposals()] == [True]
    assert_can_be_rebuilt(house)


def test_signed_exits_are_listed_and_in_the_digest(snapshot: SnapshotAssertion) -> None:
    """OP-02, OP-06"""
    house = a_signed_house(("10:02", "10:10", FLAT), trail="0.02")
    ticket = house.last(facts.TicketOpened).ticket

    assert [e.price for e in ticket.unattended] == [Decimal("97.00"), Decimal("101.59"), None, None]
    assert [e.words for e in ticket.unattended] == snapshot
    account, order, stop = house.desk.account_name, ticket.order, ticket.stop
    assert ticket.digest == digest_of_ticket(account, order, stop, (), ticket.unattended)
    assert ticket.digest != digest_of_ticket(account, order, stop, (), ticket.unattended[1:])
    assert ticket.digest != digest_of_ticket(account, order, stop, ())


def test_without_u_every_exit_waits() -> None:
    """OP-01"""
    house = House([*minutes("09:55", "10:01", FLAT), *minutes("10:02", "10:10", UP)], with_rules())
    house.opens().until("10:00:30")
    house.presses(held_by_the_desk())
    house.presses(OpenTicket(house.proposal.id, unattended=True))
    passes(house, 1)
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 1)
    house.confirms()
    house.until("10:08")

    assert (house.held(), exits(house)) == ("0.1", [("TAKE_PROFIT", "0.1")])


def test_the_digest_before_u_confirms_nothing() -> None:
    """OP-02, OP-04"""
    house = House(minutes("09:55", "10:10", FLAT), with_rules()).opens().until("10:00:30")
    house.presses(held_by_the_desk())
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 1)
    before = house.ticket
    house.presses(OpenTicket(house.proposal.id, unattended=True))
    passes(house, 1)

    house.presses(Confirm(before.id, before.digest, before.order.effect))
    house.presses(Confirm(house.ticket.id, before.digest, before.order.effect))
    passes(house, 2)

    assert not house.facts(facts.ConfirmationReceived)


def test_reserved_shares_are_freed_first_and_sold_once() -> None:
    """EX-21, EX-13, OP-06"""
    house = a_signed_house(("10:02", "10:10", UP), buys=a_typed_buy())

    house.until("10:06")

    assert requested(house) == [buy("limit", "0.1"), sell("stop", "0.1"), CANCEL, sell("market", "0.1")]
    assert house.held_by_the_broker() == "0"
    assert_can_be_rebuilt(house)


def test_a_refused_signed_sale_waits_for_a_key() -> None:
    """EX-21, EX-13, EX-14: nothing that was refused is sent again by itself."""
    house = a_signed_house(("10:02", "10:10", UP), buys=a_typed_buy())
    house.until("10:03:00")
    while requested(house)[-1:] != [CANCEL]:
        house.until_moment(house.line.at + A_MOMENT)
    house.line.refuses_the_next_order("trading is halted in this symbol")
    passes(house, 5)

    assert requested(house)[-1] == sell("stop", "0.1")
    assert house.held() == "0.1"
    house.until("10:08")
    assert exits(house) == [("TAKE_PROFIT", "0.1")]
    assert len(house.facts(facts.ExitReleased)) == 1
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("command", [Halt("a hand"), Kill("a hand")])
def test_a_halted_or_killed_desk_sends_no_signed_exit(command: Any) -> None:
    """OP-07: each is confirmed then; it waits, and rings."""
    house = a_signed_house(("10:02", "10:10", UP))
    house.until("10:02:30")
    house.presses(command)

    house.until("10:08")

    assert (house.held(), exits(house)) == ("0.1", [("TAKE_PROFIT", "0.1")])
    assert not house.facts(facts.ExitReleased)


def test_missing_attendance_stops_no_signed_exit() -> None:
    """RK-27: a dead man's timer shuts entries and nothing else"""
    house = a_signed_house(("10:02", "10:10", UP))
    house.until("10:02:30")
    house.desk.record(facts.Halted(HaltCause.UNATTENDED, "no key was pressed for 4 hours"))

    house.until("10:08")

    assert house.held() == house.held_by_the_broker() == "0"
    assert house.last(facts.TradeClosed).trade.exit_reason is ExitReason.TAKE_PROFIT
    assert house.desk.control.refusal() is not None


@pytest.mark.parametrize("cause", [cause for cause in HaltCause if cause is not HaltCause.UNATTENDED])
def test_missing_attendance_beside_another_halt_waits(cause: HaltCause) -> None:
    """RK-27, OP-07"""
    house = a_signed_house(("10:02", "10:10", UP))
    house.until("10:02:30")
    house.desk.record(facts.Halted(HaltCause.UNATTENDED, "no key was pressed for 4 hours"))
    house.desk.record(facts.Halted(cause, "another"))

    house.until("10:05")

    assert (house.held(), house.facts(facts.ExitReleased)) == ("0.1", [])


def test_without_fresh_figures_a_signed_exit_waits() -> None:
    """OP-02, OP-06: what cannot be checked afresh does not go out."""
    house = a_signed_house(("10:02", "10:10", UP))
    house.line.breaks_at(FetchFigures, arrives=False)

    house.until("10:03:30")
    assert exits(house) == [("TAKE_PROFIT", "0.1")]
    assert "needs your key" in house.last(facts.TicketClosed).reason
    house.until("10:05")

    assert house.held() == "0"


def test_a_declined_exit_takes_the_signature_back() -> None:
    """OP-06, OP-01: who says no to one is asked for each from then on."""
    house = a_signed_house(("10:02", "10:10", UP))
    house.line.breaks_at(FetchFigures, arrives=False)
    house.until("10:03:30")
    house.presses(Decline(house.proposal.id, "not now"))

    house.until("10:08")

    assert (house.held(), exits(house)) == ("0.1", [("TAKE_PROFIT", "0.1")])
    assert house.last(facts.AuthorizationEnded).code is AuthorizationCode.DECLINED


def test_changed_settings_make_every_exit_wait() -> None:
    """OP-06: what was listed is perhaps no longer what acts."""
    house = a_signed_house(("10:02", "10:10", UP))
    house.desk.record(facts.SettingsApplied(with_rules(stop="0.02")))

    house.until("10:05")

    assert house.desk.stage.authorizations(AuthorizationKind.EXITS) == ()
    assert (house.held(), exits(house)) == ("0.1", [("TAKE_PROFIT", "0.1")])


def test_a_restart_sends_a_signed_exit_once() -> None:
    """EX-20, SP-05: wherever the desk dies, the shares are sold once."""
    whole = a_signed_house(("10:02", "10:10", UP))
    whole.until("10:06")
    count = whole.journal.sequence
    begin = next(r.sequence for r in whole.journal.records() if isinstance(r.fact, facts.ConfirmationReceived))
    for last in range(begin + 6, count, 5):
        house = a_signed_house(("10:02", "10:10", UP))
        while house.journal.sequence < last:
            house.until_moment(house.line.at + A_MOMENT)
        house = house.restarted()
        house.until("10:08")
        assert (house.held(), house.held_by_the_broker()) == ("0", "0")
        assert requested(house).count(sell("market", "0.1")) == 1


def test_a_typed_stop_held_by_the_desk_is_watched() -> None:
    """OP-06, EX-13: the ticket says that this desk asks when it is hit."""
    bars = [*minutes("09:55", "10:01", FLAT), *minutes("10:02", "10:10", DOWN)]
    house = House(bars, Settings.model_validate({"risk": with_rules().risk.model_dump()})).opens().until("10:00:30")
    house.presses(held_by_the_desk())
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 1)
    house.confirms()

    house.until("10:04")

    assert exits(house) == [("STOP_LOSS", "0.1")]


def test_an_altered_exit_is_stopped_before_the_wire() -> None:
    """OP-02: its approval is bound to what its own ticket said."""
    house = a_signed_house(("10:02", "10:10", UP))

    def altered(effect: Any) -> Any:
        if isinstance(effect, SubmitOrder) and effect.order.effect.only_reduces:
            order: OrderRequest = replace(effect.order, quantity=effect.order.quantity * 2)
            return SubmitOrder(order, effect.approval)
        return effect

    house.line.tamper = altered
    house.until("10:04")

    assert requested(house) == [buy("limit", "0.1")]
    assert house.held() == "0.1"
    assert house.last(facts.OrderCreated).exit_reason is ExitReason.TAKE_PROFIT


TAKES_BACK = TakeBackExits(SPY, MANUAL)


def test_the_operator_takes_a_signature_back(snapshot: SnapshotAssertion) -> None:
    """OP-06, OP-01: recorded, over a restart too; the stop at the broker stays."""
    house = a_signed_house(("10:02", "10:10", UP), buys=a_typed_buy())
    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    assert (row.unattended_until, row.unattended_most) == (at("16:00"), Decimal("0.1"))
    assert list(signed_in_words(house.desk)) == snapshot

    house.presses(TAKES_BACK)
    house.presses(TAKES_BACK)
    assert_can_be_rebuilt(house)
    house = house.restarted()
    house.until("10:08")

    assert [fact.reason for fact in house.facts(facts.AuthorizationEnded)] == [TAKEN_BACK]
    assert (house.held(), exits(house)) == ("0.1", [("TAKE_PROFIT", "0.1")])
    assert not house.facts(facts.ExitReleased)
    assert requested(house) == [buy("limit", "0.1"), sell("stop", "0.1")]
    (row,) = ViewBuilder(house.engine).draw(house.line.at).positions
    assert row.unattended_until is None
    assert list(signed_in_words(house.desk)) == []


def test_a_signature_taken_back_in_time_sends_nothing() -> None:
    """OP-06: the last word is the hand's."""
    house = a_signed_house(("10:02", "10:10", UP))
    while not any(isinstance(message, BarArrived) and message.bar.start == at("10:02") for message in house.line.heard):
        house.until_moment(house.line.at + A_MOMENT)

    house.presses(TAKES_BACK)
    house.until("10:08")

    assert (house.held(), exits(house)) == ("0.1", [("TAKE_PROFIT", "0.1")])
    assert "needs your key" in house.last(facts.TicketClosed).reason


@pytest.mark.parametrize("gone", ["ExitReleased", "TicketOpened"])
def test_a_signed_exit_goes_with_the_first_books_of_a_start(gone: str) -> None:
    """EX-20: the process dies before the exit is released; the next bar is a minute away, and nobody waits for it."""
    house = a_signed_house(("10:02", "10:10", UP))
    while not house.facts(facts.ExitReleased):
        house.until_moment(house.line.at + A_MOMENT)
    kind = getattr(facts, gone)
    (torn,) = [r.sequence for r in house.journal.records() if isinstance(r.fact, kind)][-1:]
    house.loses_the_journal_after(torn - 1)
    begun = house.line.at
    house = house.restarted()

    passes(house, 3)

    assert house.line.at < begun + timedelta(seconds=10)
    assert house.held() == "0"
    assert house.last(facts.TradeClosed).trade.exit_reason is ExitReason.TAKE_PROFIT
