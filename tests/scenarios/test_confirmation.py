"""Between the key and the wire: what refuses a confirmation, and what an approval is good for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.messages.commands import Confirm, Decline, LeaveTicket, OpenTicket, ProposeClose, ProposeOrder
from core.messages.desk_commands import LookAt
from core.messages.effects import Effect, FetchFigures, SubmitOrder
from core.messages.inputs import FiguresFetched, Input, QuoteArrived
from core.model.account import NoAccount
from core.model.bar import NoQuote
from core.model.broker import FreshFigures, NoAnswer
from core.model.codes import ProposalEnd
from core.model.order import Effect as OrderEffect
from core.model.order import OrderStatus, OrderType, StopHolder
from core.model.staging import FIGURES, PRICE, Approval, CheckResult, NoStop, StopPlan
from core.model.values import Digest, Price, Quantity, Symbol
from core.settings.orders import StagingSettings
from core.settings.settings import Settings
from core.workflows.staging.ticket_checks import NO_FIGURES, NO_PRICE_SHOWN, allowed_move
from tests.scenarios.house import (
    RARELY,
    RECOVERY,
    STEADY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    minutes,
)
from tests.scenarios.requests import CANCEL, buy, requested, sell
from tests.unit.core.brokers.trading_floor import SPY, a_quote, at


def a_house_with_an_open_ticket(*then: tuple[str, str, str]) -> House:
    """It is 10:06:01, and the entry's ticket has been open for 0.9 s."""
    house = a_house_with_a_proposal(*then)
    house.opens_ticket()
    return house.until("10:06:01")


@pytest.mark.parametrize("is_other_effect", [True, False], ids=["another effect", "another digest"])
def test_a_key_for_anything_else_confirms_nothing(is_other_effect: bool, snapshot: SnapshotAssertion) -> None:
    """OP-02, OP-04"""
    house = a_house_with_an_open_ticket()
    shown = house.ticket

    if is_other_effect:
        house.presses(Confirm(shown.id, shown.digest, OrderEffect.CLOSE))
    else:
        house.presses(Confirm(shown.id, Digest("0" * 64), OrderEffect.OPEN))
    house.until("10:06:05")

    assert house.last(facts.ConfirmationRefused).reasons == snapshot
    assert requested(house) == []


def test_a_key_pressed_twice_sends_one_order() -> None:
    """OP-02, OP-04"""
    house = a_house_with_an_open_ticket()

    house.confirms()
    house.confirms()
    house.until("10:06:05")

    assert house.facts(facts.ConfirmationRefused) == []
    assert len([r for r in requested(house) if "buy" in r]) == 1


def test_a_key_on_a_closed_ticket_confirms_nothing() -> None:
    """OP-04"""
    house = a_house_with_an_open_ticket()
    ticket = house.ticket

    house.presses(LeaveTicket(ticket.id))
    house.presses(Confirm(ticket.id, ticket.digest, OrderEffect.OPEN))
    house.until("10:06:05")

    assert house.last(facts.TicketClosed).reason == "closed"
    assert "no such ticket" in house.last(facts.ConfirmationRefused).reasons[0]
    assert requested(house) == []


def test_a_ticket_is_good_for_a_minute(snapshot: SnapshotAssertion) -> None:
    """OP-04"""
    house = a_house_with_an_open_ticket()
    ticket = house.ticket

    house.until("10:07:01")
    house.presses(Confirm(ticket.id, ticket.digest, OrderEffect.OPEN))

    assert house.last(facts.TicketClosed).ticket_id == ticket.id
    assert house.last(facts.TicketClosed).reason == snapshot
    assert requested(house) == []


def test_a_ticket_opened_again_closes_the_one_before() -> None:
    """OP-03"""
    house = a_house_with_an_open_ticket()
    first = house.ticket

    house.opens_ticket()
    house.until("10:06:02")

    assert house.ticket.id != first.id
    assert house.last(facts.TicketClosed).ticket_id == first.id


def test_a_declined_proposal_is_gone_with_its_ticket() -> None:
    """OP-01, OP-12"""
    house = a_house_with_an_open_ticket()

    house.presses(Decline(house.proposal.id, "not today"))
    house.until("10:06:05")

    assert (house.last(facts.ProposalEnded).end, house.last(facts.ProposalEnded).reason) == (
        ProposalEnd.DECLINED,
        "not today",
    )
    assert house.desk.stage.state.tickets == {}


def test_an_entry_without_figures_in_time_is_refused() -> None:
    """OP-03"""
    house = a_house_with_an_open_ticket()
    house.slows_down(4)

    house.confirms()
    house.until("10:06:03.999")
    waiting = house.facts(facts.ConfirmationRefused)
    house.until("10:06:10")

    assert waiting == []
    (refused,) = house.facts(facts.ConfirmationRefused)
    assert refused.checks == (FIGURES,)
    assert refused.reasons == (f"{FIGURES}: {NO_FIGURES}",)
    assert requested(house) == []


def test_without_fresh_figures_an_exit_goes_on() -> None:
    """OP-03, RK-22"""
    house = a_house_in_a_position(("10:06", "10:09", STEADY), ("10:10", "10:40", RECOVERY))
    house.until("10:11:01")
    house.opens_ticket()
    house.until("10:11:02")
    house.slows_down(4)

    house.confirms()
    house.until("10:11:20")

    assert house.facts(facts.ConfirmationRefused) == []
    assert house.held() == house.held_by_the_broker() == "0"


def test_a_broken_answer_refuses_an_entry_at_once() -> None:
    """OP-03"""
    house = a_house_with_an_open_ticket()
    house.line.breaks_at(FetchFigures, arrives=True)

    house.confirms()
    house.until("10:06:02")

    refused = house.last(facts.ConfirmationRefused)
    assert (refused.checks, refused.reasons) == ((FIGURES,), (f"{FIGURES}: {NO_FIGURES}",))
    assert requested(house) == []


NOT_THERE = NoAnswer("Alpaca's data service did not answer")
LESS = {
    "clock": lambda figures: replace(figures, broker_time=NOT_THERE),
    "account": lambda figures: replace(figures, account=NoAccount(NOT_THERE.reason)),
    "quote": lambda figures: replace(figures, quote=NoQuote(NOT_THERE.reason)),
}


def one_figure_is_missing(house: House, which: str) -> None:
    """From here on clock, account or quote has no answer; the other two have."""
    ask, without = house.line.ask, LESS[which]

    def asked(effect: Effect) -> Input:
        answer = ask(effect)
        if isinstance(answer, FiguresFetched) and isinstance(answer.answer, FreshFigures):
            return replace(answer, answer=without(answer.answer))
        return answer

    house.line.ask = asked  # type: ignore[method-assign]


@pytest.mark.parametrize("which", LESS)
def test_an_entry_needs_clock_account_and_quote(which: str, snapshot: SnapshotAssertion) -> None:
    """OP-03: each of the three is needed, and the refusal names the one that did not come."""
    house = a_house_with_an_open_ticket()
    one_figure_is_missing(house, which)

    house.confirms()
    house.until("10:06:05")

    assert FIGURES in house.last(facts.ConfirmationRefused).checks
    assert house.last(facts.ConfirmationRefused).reasons == snapshot
    assert requested(house) == []


@pytest.mark.parametrize("which", LESS)
def test_an_exit_without_one_figure_goes_with_a_warning(which: str, snapshot: SnapshotAssertion) -> None:
    """OP-03, RK-22"""
    house = a_house_in_a_position(("10:06", "10:09", STEADY), ("10:10", "10:40", RECOVERY))
    house.until("10:11:01")
    house.opens_ticket()
    house.until("10:11:02")
    one_figure_is_missing(house, which)

    house.confirms()
    house.until("10:11:20")

    assert [v.reason for v in house.last(facts.OrderApproved).review.warnings if v.check == FIGURES] == snapshot
    assert house.held() == house.held_by_the_broker() == "0"


def test_a_ticket_opens_without_its_figures() -> None:
    """OP-03"""
    house = a_house_with_a_proposal()
    house.slows_down(60)

    house.opens_ticket()
    house.until("10:06:03.500")

    warnings = {v.check for v in house.ticket.review.warnings}
    assert house.ticket.price_at_opening is None
    assert {"spread", "quote age"} <= warnings


def a_house_with_a_market_ticket(stop: str = "99.20") -> House:
    """It is 10:06:01, and the ticket of a buy at the market has been open for a second, at an ask of 99.61."""
    house = a_quiet_house()
    house.presses(a_typed_buy(limit=None, stop=stop))
    house.opens_ticket()
    return house.until("10:06:01")


@pytest.mark.parametrize(("ask", "is_sent"), [("99.71", True), ("99.72", False)])
@pytest.mark.usefixtures("a_tick_each_way")
def test_a_market_order_that_ran_is_reviewed_again(ask: str, is_sent: bool, snapshot: SnapshotAssertion) -> None:
    """OP-04: a quarter of the 0.41 USD from 99.61 to 99.20 is 0.1025."""
    house = a_house_with_a_market_ticket()
    house.exchange.take_quote(a_quote("10:06:01", "99.69", ask))

    house.confirms()
    house.until("10:06:02")

    assert bool(requested(house)) is is_sent
    if not is_sent:
        assert house.last(facts.ConfirmationRefused).checks == (PRICE,)
        assert house.last(facts.ConfirmationRefused).reasons == snapshot
        assert house.proposal.order.symbol == SPY


def test_how_far_a_price_may_go_against_an_entry() -> None:
    """OP-04: 25 % of the way to its stop, 0.2 % without one, two ticks at least."""
    proposal = a_house_with_an_open_ticket().proposal
    order = replace(proposal.order, type=OrderType.MARKET, limit_price=None)

    for stop, price, allowed in (
        (None, "99.60", "0.1992"),
        (None, "2.00", "0.02"),
        ("99.58", "99.60", "0.02"),
        ("95.60", "99.60", "1.00"),
    ):
        plan = NoStop("none") if stop is None else StopPlan(Price(Decimal(stop)), StopHolder.BROKER)
        found = allowed_move(replace(proposal, order=order, stop=plan), Price(Decimal(price)), StagingSettings())
        assert found == Decimal(allowed), (stop, price)


@pytest.mark.parametrize(("bid", "ask"), [("99.40", "99.42"), ("99.60", "99.69"), ("99.60", "101.00")])
@pytest.mark.usefixtures("a_tick_each_way")
def test_a_limit_that_still_protects_only_warns(bid: str, ask: str, snapshot: SnapshotAssertion) -> None:
    """OP-04: a better price needs no word at all"""
    house = a_house_with_an_open_ticket()
    house.exchange.take_quote(a_quote("10:06:01", bid, ask))

    house.confirms()
    house.until("10:06:02")

    assert house.facts(facts.ConfirmationRefused) == []
    assert requested(house)[0] == buy("limit", "0.502")
    assert [v.reason for v in house.last(facts.OrderApproved).review.warnings if v.check == PRICE] == snapshot


@pytest.mark.usefixtures("a_tick_each_way")
def test_an_open_ticket_shows_that_the_price_ran(snapshot: SnapshotAssertion) -> None:
    """OP-03, OP-04"""
    house = a_house_with_an_open_ticket()
    house.line.take(house.line.at, QuoteArrived(a_quote("10:06:01", "99.60", "99.69")))

    shown = house.line.view().tickets[0].now

    assert [v.reason for v in shown.warnings if v.check == PRICE] == snapshot


def test_a_market_order_without_a_price_is_reviewed() -> None:
    """OP-03, OP-04: nobody has read a price that it could be held to."""
    house = a_quiet_house()
    house.presses(a_typed_buy(limit=None, stop="99.20"))
    house.line.breaks_at(FetchFigures, arrives=True)
    house.desk.sightings.quotes.clear()
    house.opens_ticket()
    house.until("10:06:01")
    assert house.ticket.price_at_opening is None

    house.confirms()
    house.until("10:06:02")

    assert f"{PRICE}: {NO_PRICE_SHOWN}" in house.last(facts.ConfirmationRefused).reasons
    assert requested(house) == []


def test_a_refused_confirmation_can_be_repeated() -> None:
    """OP-04"""
    house = a_house_with_a_market_ticket()
    house.exchange.take_quote(a_quote("10:06:01", "99.71", "99.72"))
    house.confirms()
    house.until("10:06:02")

    house.confirms_at("10:06:05")
    house.until("10:06:10")

    assert requested(house)[0] == buy("market", "0.1")


def test_a_wide_quote_at_the_key_blocks_a_market_order() -> None:
    """RK-17, OP-03"""
    house = House(minutes("09:55", "10:30", "99.60")).opens().until("10:06")
    house.presses(a_typed_buy(limit=None))
    house.opens_ticket()
    house.until("10:06:01")
    house.exchange.take_quote(a_quote("10:06:01", "99.35", "99.60"))

    house.confirms()
    house.until("10:06:02")

    assert "spread" in house.last(facts.ConfirmationRefused).checks
    assert requested(house) == []


def lapsed(approval: Approval) -> Approval:
    return replace(approval, lapses_at=approval.lapses_at - timedelta(seconds=10))


ALTERED: dict[str, Callable[[SubmitOrder], Effect]] = {
    "more": lambda e: replace(e, order=replace(e.order, quantity=Quantity(Decimal(100)))),
    "another limit": lambda e: replace(e, order=replace(e.order, limit_price=Price(Decimal("120.00")))),
    "lapsed": lambda e: replace(e, approval=lapsed(e.approval)),
}


@pytest.mark.parametrize("how", ALTERED)
def test_an_altered_or_lapsed_approval_sends_nothing(how: str, snapshot: SnapshotAssertion) -> None:
    """OP-02"""
    house = a_house_with_an_open_ticket()
    house.line.tamper = lambda effect: ALTERED[how](effect) if isinstance(effect, SubmitOrder) else effect

    house.confirms()
    house.until("10:06:05")

    assert requested(house) == []
    assert (house.last(facts.SubmissionBlocked).code, house.last(facts.SubmissionBlocked).reason) == snapshot
    assert house.entry.status is OrderStatus.CANCELLED


def test_a_used_approval_sends_nothing_again() -> None:
    """OP-02"""
    house = a_house_with_an_open_ticket()
    sent: list[SubmitOrder] = []
    house.line.tamper = lambda effect: sent.append(effect) or effect if isinstance(effect, SubmitOrder) else effect  # type: ignore[func-returns-value]
    house.confirms()
    house.until("10:06:05")

    house.line._perform(sent[0])
    house.until("10:06:10")

    assert [r for r in requested(house) if "buy" in r] == [buy("limit", "0.502")]
    assert house.entry.status is OrderStatus.FILLED


def test_figures_after_the_approval_lapsed_send_nothing() -> None:
    """OP-02, OP-03"""
    house = a_house_with_an_open_ticket()
    house.confirms()
    answer = house.line.ask(FetchFigures(house.proposal.id, house.ticket.id, SPY))

    house.engine.handle(house.line.at + timedelta(seconds=5.001), answer)

    assert "lapsed at" in house.last(facts.ConfirmationRefused).reasons[0]
    assert house.facts(facts.OrderCreated) == []


def test_a_key_before_a_restart_sends_nothing_after_it() -> None:
    """OP-02, EX-20"""
    house = a_house_with_an_open_ticket()
    house.confirms()

    house.restarted().until("10:06:20")

    assert requested(house) == []
    assert house.desk.stage.state.tickets == {}
    assert house.proposal.order.symbol == SPY


def a_quiet_house(**terms: object) -> House:
    """It is 10:06 on a flat day: no strategy wants anything."""
    return House(minutes("09:55", "12:30", "99.60"), **terms).opens().until("10:06")  # type: ignore[arg-type]


def test_a_typed_order_is_confirmed_and_gets_its_stop() -> None:
    """OP-01, OP-06"""
    house = a_quiet_house()
    house.presses(a_typed_buy())

    house.confirms_at("10:06:02")
    house.until("10:06:10")

    assert requested(house) == [buy("limit", "0.1"), sell("stop", "0.1")]
    assert house.held() == "0.1"


def test_typed_orders_have_their_own_ids_and_live_five_minutes() -> None:
    """EX-04, ST-03"""
    house = a_quiet_house()
    house.presses(a_typed_buy())
    house.presses(a_typed_buy())
    ids = {p.order.client_order_id for p in house.desk.stage.proposals()}

    house.until("10:11:00")

    assert len(ids) == 2
    assert [fact.end for fact in house.facts(facts.ProposalEnded)] == [ProposalEnd.EXPIRED] * 2


def test_a_typed_order_without_a_stop_is_not_staged(snapshot: SnapshotAssertion) -> None:
    """RK-02, OP-06"""
    house = a_quiet_house()

    house.presses(a_typed_buy(stop=None))

    assert house.last(facts.ProposalSkipped).checks[0] == "stop"
    assert house.last(facts.ProposalSkipped).reasons == snapshot


def test_a_typed_order_is_judged_by_the_clock() -> None:
    """RK-07"""
    house = a_quiet_house()

    for clock in ("11:30", "11:30:01"):
        house.until(clock).presses(a_typed_buy())

    assert len(house.desk.stage.proposals()) == len(house.facts(facts.ProposalSkipped)) == 1


def test_closing_what_is_not_there_says_so(snapshot: SnapshotAssertion) -> None:
    """EX-21"""
    house = a_quiet_house()

    house.presses(ProposeClose(SPY))
    house.presses(
        ProposeOrder(SPY, OrderEffect.CLOSE, Quantity(Decimal(1)), OrderType.MARKET, None, None, StopHolder.YOU)
    )

    assert [s.reasons for s in house.facts(facts.ProposalSkipped)] == snapshot


def test_a_manual_close_takes_the_stop_out_of_the_way(snapshot: SnapshotAssertion) -> None:
    """EX-21"""
    house = a_house_in_a_position()
    house.presses(ProposeClose(SPY))
    house.presses(ProposeClose(SPY))

    house.confirms_at("10:06:40")
    house.until("10:06:50")

    assert requested(house)[2:] == [CANCEL, sell("market", "0.502")]
    assert house.held() == "0"
    assert [s.reasons for s in house.facts(facts.ProposalSkipped)] == snapshot


def test_the_rest_of_a_reduced_position_keeps_a_stop() -> None:
    """EX-13, EX-21"""
    house = a_house_in_a_position()
    house.presses(
        ProposeOrder(SPY, OrderEffect.REDUCE, Quantity(Decimal("0.2")), OrderType.MARKET, None, None, StopHolder.YOU)
    )

    house.confirms_at("10:06:40")
    house.until("10:06:50")

    assert house.held() == house.held_by_the_broker() == "0.302"
    assert house.desk.ledger.exits.covered(SPY, "vwap") == Decimal("0.302")


def test_an_exit_is_clamped_to_what_is_held() -> None:
    """ST-09"""
    house = a_house_in_a_position()

    house.presses(
        ProposeOrder(SPY, OrderEffect.CLOSE, Quantity(Decimal(50)), OrderType.MARKET, None, None, StopHolder.YOU)
    )

    assert house.proposal.order.quantity == Decimal("0.502")


def test_what_refuses_an_entry_only_warns_an_exit() -> None:
    """RK-22"""
    house = a_house_in_a_position(("10:06", "15:59", STEADY), settings=Settings(**RARELY))
    house.until("15:56:01")
    house.line.refuses_the_next_order("none of its business")

    house.opens_ticket()
    house.until("15:56:02")

    assert house.ticket.review.passes
    assert all(v.standing is not CheckResult.REFUSES for v in house.ticket.review.verdicts)


def test_a_changed_stop_voids_an_open_ticket(snapshot: SnapshotAssertion) -> None:
    """OP-02, EX-21"""
    house = a_house_in_a_position()
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:40")
    ticket = house.ticket

    house.exchange.cancel(house.line.at, house.stops[0].id)
    house.line._pass_updates_on()
    house.until("10:06:41")
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))

    assert house.last(facts.ConfirmationRefused).reasons == snapshot
    assert house.facts(facts.Halted) == []
    assert house.facts(facts.OrderApproved)[1:] == []
    assert house.last(facts.OrderStateChanged).after is OrderStatus.CANCELLED


def test_a_ticket_of_an_ended_proposal_does_not_open() -> None:
    """OP-03"""
    house = a_house_with_a_proposal()
    proposal = house.proposal
    house.presses(Decline(proposal.id, ""))

    house.presses(OpenTicket(proposal.id))
    house.until("10:06:05")

    assert house.desk.stage.state.tickets == {}


def test_a_look_at_a_symbol_changes_nothing() -> None:
    """OP-03: what a form shows while an order is typed; no ticket opens, and nothing is written down"""
    house = a_house_with_a_proposal()
    told = house.told()

    house.presses(LookAt(SPY))
    house.presses(LookAt(Symbol("XYZ")))
    house.until("10:06:02")

    assert house.desk.sightings.quotes[SPY].at > at("10:06")
    assert Symbol("XYZ") not in house.desk.sightings.quotes
    assert house.told() == told
