"""Exits that wait beside each other: each is for what is held by then, and is called what it does to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import AuthorizationEnded, AuthorizationProlonged, OrderCreated, ProposalEdited, ProposalEnded
from core.messages.commands import Confirm, LeaveTicket, OpenTicket, ProposeClose, ProposeOrder
from core.messages.effects import Effect as Request
from core.messages.effects import SubmitOrder
from core.model.codes import ProposalEnd
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.signal import ExitReason
from core.model.staging import Proposal
from core.model.values import ClientOrderId, Quantity, plain
from core.runtime.link import Link
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import passes
from tests.scenarios.house import (
    RECOVERY,
    STEADY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    assert_can_be_rebuilt,
)
from tests.unit.core.brokers.trading_floor import SPY


def a_house_with_two_exits(part: str) -> House:
    """It is 10:10:05: a close of a part by hand waits, and VWAP's own exit of all 0.502 beside it."""
    house = a_house_in_a_position(("10:06", "10:08", STEADY), ("10:09", "10:40", RECOVERY))
    house.presses(a_close_of(part))
    house.until("10:10:05")
    assert waiting(house) == [f"reduce {part}" if part != "0.502" else "close 0.502", "close 0.502"]
    return house


def a_close_of(part: str) -> ProposeOrder:
    return ProposeOrder(SPY, Effect.REDUCE, Quantity(Decimal(part)), OrderType.MARKET, None, None, StopHolder.YOU)


def by_hand(house: House) -> Proposal:
    return next(p for p in house.desk.stage.proposals() if p.exit_reason is ExitReason.MANUAL)


def waiting(house: House) -> list[str]:
    return [f"{p.order.effect.value} {plain(p.order.quantity)}" for p in house.desk.stage.proposals()]


def sells(house: House, proposal: Proposal) -> None:
    house.presses(OpenTicket(proposal.id))
    passes(house, 1)
    ticket = house.ticket
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    passes(house, 3)


def test_an_exit_that_waits_is_for_what_is_left_and_its_order_is_said_to_close_all_of_it() -> None:
    """OP-06, EX-13"""
    house = a_house_with_two_exits("0.2")

    sells(house, by_hand(house))

    assert (house.held(), waiting(house)) == ("0.302", ["close 0.302"])
    row = ViewBuilder(house.engine).draw(house.line.at).proposals[0]
    assert (plain(row.quantity), row.effect) == ("0.302", Effect.CLOSE)
    sells(house, house.proposal)
    assert house.last(OrderCreated).order.effect is Effect.CLOSE
    assert house.held() == house.held_by_the_broker() == "0"
    assert_can_be_rebuilt(house)


def test_an_exit_of_what_is_gone_altogether_waits_no_longer() -> None:
    """OP-06"""
    house = a_house_with_two_exits("0.502")

    sells(house, by_hand(house))

    assert (house.held(), waiting(house)) == ("0", [])
    ends = [fact.reason for fact in house.facts(ProposalEnded) if fact.end is ProposalEnd.WITHDRAWN]
    assert ends == ["the position is closed"]
    assert_can_be_rebuilt(house)


def test_what_somebody_reads_changes_when_it_is_put_aside() -> None:
    """OP-04: an open ticket keeps what it shows; what is left is said as soon as nobody reads it."""
    house = a_house_with_two_exits("0.2")
    first = by_hand(house)
    own = next(p for p in house.desk.stage.proposals() if p.id != first.id)
    house.presses(OpenTicket(own.id))
    passes(house, 1)
    read = house.ticket
    house.presses(OpenTicket(first.id))
    passes(house, 1)
    ticket = next(t for t in house.desk.stage.state.tickets.values() if t.proposal_id == first.id)
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))
    passes(house, 3)
    assert (house.held(), waiting(house)) == ("0.302", ["close 0.502"])
    assert read in house.desk.stage.state.tickets.values()

    house.presses(LeaveTicket(read.id))

    assert waiting(house) == ["close 0.302"]
    (edited,) = house.facts(ProposalEdited)
    assert edited.proposal.id == own.id


def test_an_exit_for_a_part_that_becomes_all_of_it_says_so_in_the_log() -> None:
    """OP-06"""
    house = a_house_with_two_exits("0.2")
    pictures = ViewBuilder(house.engine)
    house.presses(a_close_of("0.302"))
    assert waiting(house) == ["reduce 0.2", "close 0.502", "reduce 0.302"]

    sells(house, by_hand(house))

    assert sorted(waiting(house)) == ["close 0.302", "close 0.302"]
    log = [row.text for row in pictures.draw(house.line.at).log]
    assert "SELL 0.502 SPY market is now SELL 0.302 SPY market" in log
    assert "SELL 0.302 SPY market is now to close" in log


@dataclass(frozen=True, slots=True)
class LosesTheFirstStop(Link):
    """The first stop never arrives; everything else does."""

    lost: list[ClientOrderId] = field(default_factory=list)

    def carry(self, effect: Request) -> Iterable[timedelta]:
        if isinstance(effect, SubmitOrder) and effect.order.type.is_stop and not self.lost:
            self.lost.append(effect.order.client_order_id)
            return ()
        return (self.latency,)


@pytest.mark.parametrize("restarts", [False, True], ids=["", "the desk is restarted meanwhile"])
def test_a_close_behind_a_stop_in_doubt_waits_until_the_doubt_is_over(restarts: bool) -> None:
    """EX-21, EX-22, EX-06: a minute of look-ups ends it as never arrived, and the sale goes."""
    house = a_house_with_a_proposal(("10:06", "10:40", STEADY))
    house.line.link = LosesTheFirstStop()
    house.confirms_at("10:06:02")
    house.until("10:06:06")
    (stop,) = house.stops
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:07")
    house.confirms()
    house.until("10:07:00")
    assert house.desk.ledger.chains.is_in_doubt(stop)
    if restarts:
        house = house.restarted()

    house.until("10:09")

    assert house.sale.status is OrderStatus.FILLED
    assert (house.held(), house.held_by_the_broker()) == ("0", "0")
    assert [fact for fact in house.facts(AuthorizationEnded) if fact.reason.startswith("close again")] == []
    assert house.facts(AuthorizationProlonged)
    assert_can_be_rebuilt(house)


def test_a_close_whose_time_was_over_while_the_desk_was_away_needs_a_new_key() -> None:
    """EX-21, OP-02: the key was turned for then."""
    house = a_house_with_a_proposal(("10:06", "10:40", STEADY))
    house.line.link = LosesTheFirstStop()
    house.confirms_at("10:06:02")
    house.until("10:06:06")
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:07")
    house.confirms()
    house.until("10:06:20")
    house.line.at += timedelta(minutes=5)
    house = house.restarted()
    house.until("10:14")

    assert house.held() == "0.502"
    assert any("the stop was not gone in time" in fact.reason for fact in house.facts(AuthorizationEnded))
