"""What the desk shows of drafts, what a false fact holds up, and the notice without a desk (OP-09, OP-14)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core import facts
from core.messages.commands import (
    OpenBasket,
    OpenTicket,
    ProposeClose,
    ProposeFlattening,
)
from core.messages.desk_commands import DetachDesk, ServeDesks
from core.messages.inputs import AgentRefused
from core.model.basket import BasketSource
from core.model.codes import ProposalEnd
from core.model.draft import DraftFact, DraftTerms, DraftWord, FactResult
from core.model.notice import NoticeKind
from core.model.order import Effect, OrderType
from core.model.values import Quantity
from core.reports.agent_receipts import ReceiptKind, receipts_in
from core.runtime.scripted_operator import turn_of
from core.views import BasketRowView, DeskView, TicketView
from core.views.builders.desk import ViewBuilder
from core.views.builders.drafts import BRIEF, REASON
from tests.kit.drafts import adopts, declines
from tests.scenarios.changes import passes
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.receivers import PHONE, Receivers, with_receivers
from tests.scenarios.test_drafts import CLAUDE, a_house, drafts, fact, terms
from tests.unit.core.brokers.trading_floor import SPY

TRUE, FALSE = fact("position", "0"), fact("position", "3")


def view_of(house: House) -> DeskView:
    return ViewBuilder(house.engine).draw(house.line.at)


def adopted(*stated: DraftFact, order: DraftTerms | None = None, house: House | None = None) -> House:
    """The ticket of its proposal is open."""
    house = house or a_house()
    key = f"next {house.desk.drafts.state.numbers}"
    number = drafts(house, order or terms(limit="99.80"), key=key, stated=stated).number
    assert number is not None
    house.presses(adopts(house.desk, number))
    outcome = house.desk.drafts.outcome(number)
    assert outcome is not None
    house.presses(OpenTicket(outcome.order_id))  # type: ignore[arg-type]
    passes(house, 1)
    return house


def in_a_position() -> House:
    """Five shares that the operator bought, without an agent's fact about them."""
    house = adopted(TRUE)
    house.confirms()
    house.until("10:09")
    assert house.held() == "5"
    return house


def a_sale() -> DraftTerms:
    return DraftTerms(SPY, Effect.CLOSE, Quantity(Decimal(5)), OrderType.MARKET)


def ticket_view(house: House) -> TicketView:
    (ticket,) = view_of(house).tickets
    return ticket


# ── views ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_row_has_the_order_and_its_facts() -> None:
    """OP-14: a row that did not change is the same"""
    house = a_house()
    drafts(house, stated=(fact("price", "99.70"), FALSE, fact("earnings", "2")))
    builder = ViewBuilder(house.engine)
    (row,) = builder.draw(house.line.at).drafts
    (again,) = builder.draw(house.line.at).drafts

    assert [checked.result for checked in row.facts] == [FactResult.MATCHES, FactResult.DIFFERS, FactResult.UNKNOWN]
    assert (row.agent, row.quantity, row.cost, row.risk) == (CLAUDE, 5, Decimal(498), Decimal("3.00"))
    assert (row.differing, row.facts[1].ours, row.confidence) == ((1,), 0, Decimal("0.6"))
    assert again is row


def test_a_holding_that_changed_since_is_old_and_reviewed() -> None:
    """OP-14: the price of its time stays; a position that was true is none any more"""
    house = a_house(minutes=1000)
    drafts(house, stated=(fact("price", "99.70"), TRUE, fact("equity", "10000")))
    (row,) = view_of(house).drafts
    house.presses(a_typed_buy("5", "99.80", "99.00"))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    house.until("10:09")
    assert house.held() == "5"
    house.presses(adopts(house.desk, 1))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    shown = ticket_view(house).draft

    assert row.differing == ()
    assert shown is not None
    assert [(one.result, one.ours) for one in shown.facts][:2] == [
        (FactResult.MATCHES, row.facts[0].ours), (FactResult.OLD, 5),
    ]  # fmt: skip
    assert shown.differing == (1,)
    assert len(house.facts(facts.ConfirmationRefused)) == 1
    house.presses(replace(turn_of(house.ticket), reviewed=(1,)))
    assert [one.fact.field for one in house.last(facts.DraftReviewed).differing] == ["position"]


def test_a_row_has_the_record_of_its_agent() -> None:
    """OP-14: of its earlier drafts alone, by the facts that could be checked"""
    house = a_house()
    drafts(house, stated=(TRUE, FALSE, fact("earnings", "2")))
    house.presses(declines(house.desk, 1, ""))
    drafts(house, key="b", stated=(FALSE,))
    (row,) = view_of(house).drafts

    assert (row.earlier, row.checkable, row.false) == (1, 2, 1)


def test_texts_of_an_agent_are_harmless_and_short() -> None:
    """SY-06"""
    house = a_house()
    hostile = DraftFact("SPY", "news\x1b[2J", Decimal(1), None, "x" * 500)
    order = terms(limit="99.80")
    answer = drafts(house, order, stated=(hostile,))
    outcome = house.desk.drafts.state.outcomes[1]
    long = replace(outcome.draft, reason="buy\x1b]0;owned\x07 now " * 200)
    house.desk.drafts.state.outcomes[1] = replace(outcome, draft=long)
    (row,) = view_of(house).drafts
    house.presses(adopts(house.desk, 1))
    (proposal,) = view_of(house).proposals

    assert answer.number == 1
    shown = row.reason + row.facts[0].fact.field + row.facts[0].fact.source + proposal.reason
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert len(row.reason) == REASON
    assert len(proposal.reason) <= len(f"drafted by agent {CLAUDE} (draft 1): ") + BRIEF
    assert proposal.agent == CLAUDE


def test_oversteps_of_agents_are_counted_for_the_bell() -> None:
    """OP-09"""
    house = a_house()
    house.line.take(house.line.at, AgentRefused(CLAUDE, "send an order", is_overstep=True))
    assert view_of(house).agent_oversteps == 1


# ── the ticket ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_false_fact_waits_for_a_review() -> None:
    """OP-14: the key is rejected, and counts once the place of the fact comes with it"""
    house = adopted(TRUE, FALSE)
    shown = ticket_view(house)
    house.confirms()

    assert shown.draft is not None
    assert (shown.draft.agent, shown.draft.number, shown.draft.differing) == (CLAUDE, 1, (1,))
    assert house.last(facts.ConfirmationRefused).reasons != ()
    assert house.requests() == []
    house.presses(replace(turn_of(house.ticket), reviewed=(0,)))
    assert house.facts(facts.ConfirmationReceived) == []

    house.presses(replace(turn_of(house.ticket), reviewed=(1,)))
    reviewed = house.last(facts.DraftReviewed)
    assert (reviewed.number, reviewed.ticket_id) == (1, shown.ticket.id)
    assert [checked.fact for checked in reviewed.differing] == [FALSE]
    assert [one.number for one in receipts_in(house.journal.records()) if one.kind is ReceiptKind.REVIEWED] == [1]
    house.until("10:09")
    assert house.held() == "5"
    assert_can_be_rebuilt(house)


def test_true_facts_need_no_review() -> None:
    """OP-14"""
    house = adopted(TRUE, fact("earnings", "2"))
    house.confirms()

    assert len(house.facts(facts.ConfirmationReceived)) == 1
    assert house.facts(facts.DraftReviewed) == []


def test_a_drafted_exit_with_a_false_fact_waits_too() -> None:
    """OP-14"""
    house = in_a_position()
    adopted(fact("position", "7"), order=a_sale(), house=house)
    house.confirms()
    assert len(house.facts(facts.ConfirmationReceived)) == 1

    house.presses(replace(turn_of(house.ticket), reviewed=(0,)))
    house.until("10:12")
    assert house.held() == "0"


def test_the_operators_own_close_replaces_a_drafted_exit() -> None:
    """OP-14: its own proposal, which no fact holds up"""
    house = in_a_position()
    adopted(fact("position", "7"), order=a_sale(), house=house)
    house.presses(ProposeClose(SPY))

    (own,) = house.desk.stage.proposals()
    assert house.desk.drafts.of_proposal(own.id) is None
    outcome = house.desk.drafts.outcome(2)
    assert outcome is not None
    assert outcome.word is DraftWord.DECLINED
    assert house.last(facts.ProposalEnded).end is ProposalEnd.WITHDRAWN
    house.presses(OpenTicket(own.id))
    passes(house, 1)
    house.confirms()
    house.until("10:12")
    assert house.held() == "0"


def test_flattening_waits_for_no_fact() -> None:
    """OP-07, OP-14"""
    house = in_a_position()
    adopted(fact("position", "7"), order=a_sale(), house=house)
    house.presses(OpenBasket(BasketSource.FLATTEN))
    assert len(house.facts(facts.BasketRefused)) == 1  # an agent's exit is none of the operator's

    house = in_a_position()
    adopted(fact("position", "7"), order=a_sale(), house=house)
    house.presses(ProposeFlattening())
    (own,) = house.desk.stage.proposals()
    assert house.desk.drafts.of_proposal(own.id) is None


def test_a_basket_takes_no_false_fact() -> None:
    """OP-05, OP-14: its own ticket reviews it"""
    for stated, is_refused in ((FALSE, True), (TRUE, False)):
        house = a_house()
        drafts(house, stated=(stated,))
        house.presses(adopts(house.desk, 1))
        house.presses(OpenBasket(BasketSource.PROPOSALS))
        assert [bool(row.refusals) for row in plan_of(house)] == [is_refused]


def plan_of(house: House) -> tuple[BasketRowView, ...]:
    plan = view_of(house).plan
    assert plan is not None
    return plan.rows


# ── notices ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def with_a_phone() -> tuple[House, Receivers]:
    notify = {"channels": {PHONE: {}}, "rules": {"drafts": {"channels": [PHONE], "kinds": ["proposal"]}}}
    house, receivers = a_house({"notify": notify}), Receivers()
    return with_receivers(house, receivers), receivers


def test_a_draft_is_pushed_while_no_desk_is_attached() -> None:
    """SY-03, OP-09: at once and once, with what it is; with no text of the agent"""
    house, receivers = with_a_phone()
    house.presses(ServeDesks())
    drafts(house)
    passes(house, 5)

    (due,) = house.facts(facts.NotificationDue)
    assert (due.notice.kind, due.notice.symbol) == (NoticeKind.PROPOSAL, SPY)
    assert due.notice.at - house.last(facts.DraftReceived).draft.drafted_at <= timedelta(seconds=5)
    assert len(receivers.told(PHONE)) == 1
    assert "near its low" not in due.notice.words
    house.presses(declines(house.desk, 1, ""))
    assert house.desk.notifications.state.matters == {}


def test_a_draft_at_a_desk_is_pushed_only_once_the_desk_left() -> None:
    """SY-03"""
    house, receivers = with_a_phone()
    house.presses(ServeDesks())
    desk = house.attaches("adam")
    drafts(house)
    passes(house, 5)
    assert receivers.told(PHONE) == []

    house.presses_at(desk, DetachDesk())
    passes(house, 5)
    assert len(receivers.told(PHONE)) == 1
    again = house.attaches("adam")
    house.presses_at(again, DetachDesk())
    passes(house, 5)
    assert len(receivers.told(PHONE)) == 1


def test_a_fact_that_differed_at_a_ticket_stays_false() -> None:
    """OP-14: it could not be checked when it was drafted, and after a minute the desk knows only the figure of now"""
    house = a_house()
    stated = fact("stop_price", "90", ago=0, house=house)
    number = drafts(house, stated=(stated,)).number
    assert number is not None
    house.presses(a_typed_buy("5", "99.80", "99.00"))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 30)
    assert house.held() == "5"

    house.presses(adopts(house.desk, number))
    house.opens_ticket()
    passes(house, 1)
    (found,) = house.facts(facts.DraftDiffered)
    assert [checked.fact for checked in found.differing] == [stated]
    passes(house, 60)
    house.opens_ticket()
    passes(house, 1)
    house.confirms()

    assert len(house.facts(facts.ConfirmationReceived)) == 1
    assert len(house.facts(facts.DraftDiffered)) == 1
    assert_can_be_rebuilt(house)


def test_the_desks_figure_beside_a_false_fact_stays() -> None:
    """OP-14: the market was at 99.60 and no share was held; the close at 97 and the fill are of a later time."""
    bars = [*minutes("09:45", "10:05", "99.60"), *minutes("10:06", "10:30", "97")]
    house = a_house(bars=bars)
    drafts(house, stated=(fact("price", "97.00", ago=0, house=house), fact("position", "3")))
    before = facts_shown(house)

    house.until("10:07:30")
    fell = facts_shown(house)
    house.presses(a_typed_buy("5", "97.20", "96.00"))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 30)
    assert house.held() == "5"

    assert [result for result, _ in before] == [FactResult.DIFFERS] * 2
    assert before[0][1] == pytest.approx(Decimal("99.60"), abs=Decimal("0.02"))
    assert before[1][1] == 0
    assert fell == before
    assert facts_shown(house) == before


def facts_shown(house: House) -> list[tuple[FactResult, Decimal | None]]:
    (row,) = view_of(house).drafts
    return [(checked.result, checked.ours) for checked in row.facts]
