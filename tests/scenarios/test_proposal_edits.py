"""A proposal that waits gets another quantity or limit: the same gate, a new digest, and no key on what was shown."""

from __future__ import annotations

from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Confirm, EditProposal, OpenTicket, ProposeClose
from core.model.order import Effect
from core.model.values import Fraction, Price, Quantity
from core.views.builders.desk import ViewBuilder
from core.views.order_chain import chain_of
from tests.scenarios.house import RECOVERY, STEADY, House, a_house_in_a_position, a_house_with_a_proposal, a_typed_buy
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


def test_edited_order_is_sent() -> None:
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
    assert house.last(facts.OrderCreated).order == after.order


def test_omitted_limit_stays() -> None:
    """OP-02"""
    house = a_house_with_a_proposal()

    house.presses(an_edit(house, "0.3"))

    assert house.proposal.order.limit_price == Decimal("99.60")


def test_key_on_the_ticket_before_an_edit_is_refused(snapshot: SnapshotAssertion) -> None:
    """OP-02, OP-04"""
    house = a_house_with_an_open_ticket()
    shown = house.ticket

    house.presses(an_edit(house, "0.1"))
    house.presses(Confirm(shown.id, shown.digest, shown.order.effect))
    house.until("10:06:10")

    assert [house.last(facts.TicketClosed).reason, house.last(facts.ConfirmationRefused).reasons] == snapshot
    assert house.last(facts.TicketClosed).ticket_id == shown.id
    assert house.facts(facts.ConfirmationReceived) == house.facts(facts.OrderCreated) == []
    house.opens_ticket()
    house.until("10:06:12")
    assert house.ticket.order.quantity == Decimal("0.1")
    assert house.ticket.digest != shown.digest


def test_edit_after_the_key_is_refused(snapshot: SnapshotAssertion) -> None:
    """OP-02: what was signed is what is sent."""
    house = a_house_with_an_open_ticket()
    shown = house.ticket
    house.confirms()

    house.presses(an_edit(house, "0.1"))
    house.until("10:06:10")

    (refused,) = house.facts(facts.EditRefused)
    assert refused.reasons == snapshot
    assert house.facts(facts.OrderCreated)[0].order == shown.order


def test_ticket_opens_with_the_edited_order() -> None:
    """OP-03"""
    house = a_house_with_a_proposal()
    house.opens_ticket()

    house.presses(an_edit(house, "0.1"))
    house.until("10:06:05")

    assert house.ticket.order.quantity == Decimal("0.1")


def test_refused_key_permits_an_edit() -> None:
    """OP-02"""
    house = a_house_with_an_open_ticket()
    shown = house.ticket
    house.presses(Confirm(shown.id, shown.digest, Effect.SHORT))

    house.presses(an_edit(house, "0.2"))
    house.presses(Confirm(shown.id, shown.digest, shown.order.effect))
    house.until("10:06:10")

    assert len(house.facts(facts.ProposalEdited)) == 1
    assert house.facts(facts.OrderCreated) == []


def test_refused_edits_change_nothing(snapshot: SnapshotAssertion) -> None:
    """OP-03, RK-01, EX-11"""
    house, refused = a_house_with_an_open_ticket(), {}
    pictures = ViewBuilder(house.engine)
    before, shown = house.proposal, house.ticket
    edits: tuple[tuple[str, str | None], ...] = (
        *((quantity, None) for quantity in ("0", "-1", "0.0001", "5", "NaN")),
        *(("0.5", limit) for limit in ("99.605", "99.20", "Infinity")),
    )
    for quantity, limit in edits:
        house.presses(an_edit(house, quantity, limit))

        reasons = house.last(facts.EditRefused).reasons
        assert (house.proposal, house.ticket) == (before, shown), (quantity, limit)
        assert reasons[0] in pictures.draw(house.line.at).refusals[-1].text
        refused[f"{quantity} at {limit}"] = reasons
    assert len(house.facts(facts.EditRefused)) == len(edits)
    assert house.engine.state.control.refusal() is None
    assert refused == snapshot


def test_ended_proposal_is_not_edited(snapshot: SnapshotAssertion) -> None:
    """OP-02"""
    house = a_house_with_a_proposal()
    edit = an_edit(house, "0.1")
    house.until("10:08")

    house.presses(edit)

    assert house.last(facts.EditRefused).reasons == snapshot


def test_exit_can_only_get_smaller(snapshot: SnapshotAssertion) -> None:
    """OP-06, EX-21"""
    house = a_house_with_an_exit()

    house.presses(an_edit(house, "0.6"))
    house.presses(an_edit(house, "0.3", "100.00"))
    refused = [fact.reasons for fact in house.facts(facts.EditRefused)]
    house.presses(an_edit(house, "0.3"))
    house.confirms_at("10:10:10")
    house.until("10:10:40")

    assert refused == snapshot
    assert (house.sale.request.quantity, house.sale.request.effect) == (Decimal("0.3"), Effect.REDUCE)
    assert house.held() == house.held_by_the_broker() == "0.202"


def test_typed_close_keeps_its_kind(snapshot: SnapshotAssertion) -> None:
    """OP-06"""
    house = a_house_in_a_position()
    house.presses(ProposeClose(SPY, Fraction(Decimal("0.5"))))
    before = house.proposal.order

    house.presses(an_edit(house, "0.1"))
    house.presses(an_edit(house, "0.1", "99.65"))

    assert before.effect is house.proposal.order.effect is Effect.REDUCE
    assert house.proposal.order.quantity == Decimal("0.1")
    assert house.last(facts.EditRefused).reasons == snapshot


def test_edited_typed_order_keeps_its_chain() -> None:
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
