"""A proposal that waits gets another quantity or limit: the same gate, a new digest, and no key on what was shown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.facts import (
    ConfirmationReceived,
    ConfirmationRefused,
    EditRefused,
    OrderCreated,
    ProposalEdited,
    TicketClosed,
)
from core.messages.commands import Confirm, EditProposal, OpenTicket, ProposeClose
from core.model.order import Effect
from core.model.values import Fraction, Price, Quantity
from core.views.builders.desk import ViewBuilder
from core.views.order_chain import chain_of
from tests.scenarios.house import (
    RECOVERY,
    STEADY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
)
from tests.unit.core.brokers.trading_floor import SPY


def an_edit(house: House, quantity: str, limit: str | None = None) -> EditProposal:
    price = None if limit is None else Price(Decimal(limit))
    return EditProposal(house.proposal.id, Quantity(Decimal(quantity)), price)


def a_house_with_an_open_ticket() -> House:
    house = a_house_with_a_proposal()
    house.opens_ticket()
    house.until("10:06:01")
    assert house.ticket.order.quantity == Decimal("0.502")
    return house


def a_house_with_an_exit() -> House:
    house = a_house_in_a_position(("10:06", "10:08", STEADY), ("10:09", "10:30", RECOVERY)).until("10:10:05")
    assert house.proposal.only_reduces
    return house


def test_an_edited_proposal_is_the_same_proposal_with_another_order_and_that_order_is_sent() -> None:
    """OP-02, OP-03"""
    house = a_house_with_a_proposal()
    before = house.proposal

    house.presses(an_edit(house, "0.4", "99.58"))
    after = house.proposal
    house.confirms_at("10:06:10")
    house.until("10:06:11")

    assert (after.id, after.order.client_order_id, after.expires_at) == (
        before.id, before.order.client_order_id, before.expires_at,
    )  # fmt: skip
    assert (after.order.quantity, after.order.limit_price, after.intended_price) == (
        Decimal("0.4"), Decimal("99.58"), Decimal("99.58"),
    )  # fmt: skip
    assert after.order.digest("house") != before.order.digest("house")
    assert house.last(OrderCreated).order == after.order
    assert_can_be_rebuilt(house)


def test_a_limit_that_is_not_typed_stays() -> None:
    """OP-02"""
    house = a_house_with_a_proposal()

    house.presses(an_edit(house, "0.3"))

    assert house.proposal.order.limit_price == Decimal("99.60")


def test_no_key_on_what_was_shown_before_an_edit_permits_anything() -> None:
    """OP-02, OP-04"""
    house = a_house_with_an_open_ticket()
    shown = house.ticket

    house.presses(an_edit(house, "0.1"))
    house.presses(Confirm(shown.id, shown.digest, shown.order.effect))
    house.until("10:06:10")

    assert house.last(TicketClosed) == TicketClosed(shown.id, "the proposal was edited")
    assert "there is no such ticket" in house.last(ConfirmationRefused).reasons[0]
    assert house.facts(ConfirmationReceived) == house.facts(OrderCreated) == []
    house.opens_ticket()
    house.until("10:06:12")
    assert house.ticket.order.quantity == Decimal("0.1")
    assert house.ticket.digest != shown.digest


def test_an_edit_that_comes_after_the_key_changes_nothing() -> None:
    """OP-02: what was signed is what is sent."""
    house = a_house_with_an_open_ticket()
    shown = house.ticket
    house.confirms()

    house.presses(an_edit(house, "0.1"))
    house.until("10:06:10")

    (refused,) = house.facts(EditRefused)
    assert refused.reasons == ("it was confirmed already; wait for the broker's answer",)
    assert house.facts(OrderCreated)[0].order == shown.order


def test_a_ticket_on_its_way_opens_with_the_edited_order() -> None:
    """OP-03"""
    house = a_house_with_a_proposal()
    house.opens_ticket()

    house.presses(an_edit(house, "0.1"))
    house.until("10:06:05")

    assert house.ticket.order.quantity == Decimal("0.1")


def test_after_a_refused_key_the_proposal_can_be_edited_and_its_old_key_is_worth_nothing() -> None:
    """OP-02"""
    house = a_house_with_an_open_ticket()
    shown = house.ticket
    house.presses(Confirm(shown.id, shown.digest, Effect.SHORT))

    house.presses(an_edit(house, "0.2"))
    house.presses(Confirm(shown.id, shown.digest, shown.order.effect))
    house.until("10:06:10")

    assert len(house.facts(ProposalEdited)) == 1
    assert house.facts(OrderCreated) == []


@pytest.mark.parametrize(
    ("quantity", "limit", "reason"),
    [
        ("0", None, "quantity: 0 is no quantity: it must be above zero"),
        ("-1", None, "quantity: -1 is no quantity: it must be above zero"),
        ("0.0001", None, "quantity: 0.0001 is not in steps of 0.001 shares"),
        ("5", None, "notional: 498.00 USD is over 50.00 USD an order; 0.502 would pass"),
        ("0.5", "99.605", "price: 99.605 is off its tick of 0.01"),
        ("0.5", "99.20", "stop: the stop 99.30 is on the wrong side of 99.20; move it to the other"),
        ("NaN", None, "a quantity and a price must each be a number, below a million million"),
        ("0.5", "Infinity", "a quantity and a price must each be a number, below a million million"),
    ],
)
def test_an_edit_that_the_gate_refuses_changes_nothing_and_says_why(
    quantity: str, limit: str | None, reason: str
) -> None:
    """OP-03, RK-01, EX-11"""
    house = a_house_with_an_open_ticket()
    pictures = ViewBuilder(house.engine)
    before, shown = house.proposal, house.ticket

    house.presses(an_edit(house, quantity, limit))

    assert (house.proposal, house.ticket) == (before, shown)
    assert reason in house.last(EditRefused).reasons
    assert reason in pictures.draw(house.line.at).refusals[-1].text
    assert house.engine.state.control.refusal() is None


def test_a_proposal_that_waits_no_more_is_not_edited() -> None:
    """OP-02"""
    house = a_house_with_a_proposal()
    edit = an_edit(house, "0.1")
    house.until("10:08")

    house.presses(edit)

    assert house.last(EditRefused).reasons == ("this proposal is over",)


def test_a_strategys_exit_gets_smaller_and_nothing_else() -> None:
    """OP-06, EX-21"""
    house = a_house_with_an_exit()

    house.presses(an_edit(house, "0.6"))
    house.presses(an_edit(house, "0.3", "100.00"))
    larger, priced = (refused.reasons[0] for refused in house.facts(EditRefused))
    house.presses(an_edit(house, "0.3"))
    house.confirms_at("10:10:10")
    house.until("10:10:40")

    assert larger == "an exit only gets smaller: 0.6 is over 0.502"
    assert "is not yours to change" in priced
    assert (house.sale.request.quantity, house.sale.request.effect) == (Decimal("0.3"), Effect.REDUCE)
    assert house.held() == house.held_by_the_broker() == "0.202"


def test_a_close_that_a_person_typed_gets_smaller_and_keeps_its_kind() -> None:
    """OP-06"""
    house = a_house_in_a_position()
    house.presses(ProposeClose(SPY, Fraction(Decimal("0.5"))))
    before = house.proposal.order

    house.presses(an_edit(house, "0.1"))
    house.presses(an_edit(house, "0.1", "99.65"))

    assert before.effect is house.proposal.order.effect is Effect.REDUCE
    assert house.proposal.order.quantity == Decimal("0.1")
    assert "and only these, has a limit price" in house.last(EditRefused).reasons[0]


def test_a_typed_order_can_be_edited_too_and_why_tells_it() -> None:
    """EX-18"""
    house = a_house_with_a_proposal()
    house.until("10:08")
    house.presses(a_typed_buy())

    house.presses(an_edit(house, "0.2", "99.59"))
    house.presses(OpenTicket(house.proposal.id))
    house.until("10:08:05")

    chain = [type(r.fact).__name__ for r in chain_of(house.proposal.id, house.journal.records())]
    assert chain == ["ProposalStaged", "ProposalEdited", "TicketOpened"]
    assert house.ticket.order.quantity == Decimal("0.2")
