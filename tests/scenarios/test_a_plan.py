"""A basket: many orders, signed once; what reduces goes first, buys wait for it, and the broker has the last word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import (
    ApprovalRedeemed,
    BasketEnded,
    BasketOpened,
    BasketOrderSkipped,
    BasketPhaseChanged,
    BasketRefused,
    BasketSigned,
    BasketTurnBegun,
    ConfirmationRefused,
    OrderApproved,
    OrderCreated,
    OrderFilled,
    OrderSent,
)
from core.messages.commands import (
    Decline,
    Halt,
    Kill,
    MarkInBasket,
    OpenBasket,
    ProposeClose,
    ProposeFlattening,
    RefuseSymbol,
    RequestCancel,
    Resume,
    SignBasket,
)
from core.messages.effects import CancelOrder, Effect, LookUpOrder, SubmitOrder
from core.messages.inputs import Input
from core.model.basket import BasketEnd, BasketOrderState, BasketPhase, BasketSource
from core.model.order import Effect as OrderEffect
from core.model.order import OrderStatus, Side, TimeInForce, digest_of
from core.model.values import Digest, Price, Symbol, TicketId
from core.runtime.link import Link
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.views.event_text import in_words
from core.workflows.baskets.basket_dry_run import TWICE
from core.workflows.baskets.baskets import CHANGED, NONE_MARKED, RUNS
from tests.scenarios.house import House, assert_can_be_rebuilt
from tests.scenarios.plans import (
    BOUGHT,
    SETTINGS,
    SOLD,
    a_buy,
    a_floor,
    a_house_that_holds,
    a_sale,
    answers,
    leaves,
    marks,
    opens,
    passes,
    row,
    runs_out,
    signs,
    the_plan,
    words,
)
from tests.scenarios.test_changes_elsewhere import picture_of

SELLS = [f"SELL 60 {symbol}" for symbol in SOLD]


def a_rebalance(**sale: object) -> House:
    """Six positions of 60 at 100 in an account of 20,000 lent twice; eight buys of 45 need what their sale frees.

    `sale` are other terms of the sale of CCC.
    """
    house = a_house_that_holds(*SOLD, quantity="60")
    sales = [a_sale(symbol, "60", **(sale if symbol == "CCC" else {})) for symbol in SOLD]
    opens(house, *(a_buy(symbol, "45") for symbol in BOUGHT), *sales)
    return house


def raised_to(least: str, largest: str) -> Settings:
    """Sizes under `least` are raised to it; none may be over `largest`, USD."""
    dump = SETTINGS.model_dump(mode="json")
    risk = {**dump["risk"], "min_notional": least, "max_notional": {"usd": largest}}
    risk["sizing"] = {**risk["sizing"], "raise_to_minimum": True}
    return Settings.model_validate({**dump, "risk": risk})


def standings(house: House) -> list[BasketOrderState]:
    run = the_plan(house)
    return [house.desk.plans.standings.of(run, order) for order in run.orders]


def submissions(house: House, before: int) -> list[str]:
    return [request for request in house.requests()[before:] if request.startswith("submit")]


def test_a_sell_and_a_buy_that_needs_its_cash_go_out_in_that_order_on_one_key() -> None:
    """OP-05, EX-10, OP-02"""
    house = a_house_that_holds("AAA", "BBB", "CCC", quantity="130")
    before = len(house.requests())
    opens(house, a_buy("GGG", "120"), a_sale("AAA"))
    marks(house)

    signs(house)
    report = runs_out(house)

    assert house.requests()[before:] == ["cancel", "submit sell market 130", "submit buy market 120"]
    assert (house.held(Symbol("AAA")), house.held(Symbol("GGG"))) == ("0", "120")
    assert [line.reason for line in report.lines] == ["", ""]
    assert report.is_of_the_broker
    assert_can_be_rebuilt(house)


@pytest.mark.usefixtures("a_tick_each_way")
def test_six_sells_are_filled_before_the_first_of_eight_buys_and_each_sees_fresh_buying_power() -> None:
    """EX-10, OP-03: by the journal's own order of events, and by the buying power that each approval used."""
    house = a_rebalance()
    before, approved = len(house.requests()), len(house.facts(OrderApproved))
    marks(house)
    signs(house)

    report = runs_out(house)

    assert submissions(house, before) == ["submit sell market 60"] * 6 + ["submit buy market 45"] * 8
    powers = [fact.buying_power for fact in house.facts(OrderApproved)[approved:]]
    free_at_first_buy, at_last = powers[6], powers[13]
    assert powers[0] is not None
    assert free_at_first_buy is not None
    assert at_last is not None
    assert (powers[0] < 5_000, free_at_first_buy > 35_000) == (True, True)
    assert free_at_first_buy - at_last > 7 * 4_400
    told = words(house)
    last_sale = max(told.index(f"{sale}: filled 60 at 99.99") for sale in SELLS)
    assert last_sale < told.index("every sell is filled: the buys, against fresh buying power")
    assert told.index("BUY 45 GGG: its turn, checked on fresh figures") > last_sale
    assert the_plan(house).end is BasketEnd.DONE
    assert the_plan(house).end_reason == "14 of 14 filled"
    assert dict(report.positions)[Symbol("GGG")] == 45
    assert report.power_before is not None
    assert report.power_after is not None
    assert all(line.average == line.expected for line in report.lines)
    assert_can_be_rebuilt(house)


def test_the_dry_run_gives_each_order_the_effect_of_those_before_it() -> None:
    """OP-05: without the sales the buys do not fit; with them the last one takes what is left."""
    house = a_rebalance()
    (opened,) = house.facts(BasketOpened)[1:]
    assert [line.refusals for line in opened.plan.lines] == [()] * 14

    marks(house, *BOUGHT)
    signs(house)

    assert house.last(BasketRefused).reasons == (NONE_MARKED,)
    opens(house, *(a_buy(symbol, "45") for symbol in BOUGHT))
    refused = [line.refusals for line in house.last(BasketOpened).plan.lines]
    assert refused[0][0].startswith("buying power: 4,500")
    assert house.last(BasketEnded).end is BasketEnd.LEFT


def test_an_order_that_is_not_marked_is_left_out_and_so_is_one_that_does_not_fit() -> None:
    """OP-05: with its reason."""
    house = a_rebalance()
    marks(house, "AAA", "GGG", "HHH", "III")
    signs(house)

    signed = house.last(BasketSigned)
    runs_out(house)

    assert [order.proposal.symbol for order in signed.orders] == ["AAA", "GGG", "HHH"]
    why = dict(signed.left_out)
    run = the_plan(house)
    by_symbol = {line.proposal.symbol: why.get(line.proposal.id) for line in run.plan.lines}
    assert by_symbol[Symbol("BBB")] == ("not marked",)
    third = by_symbol[Symbol("III")]
    assert third is not None
    assert third[0].startswith("buying power: 4,500")


def test_a_sell_that_does_not_fill_makes_the_plan_ask_and_no_buy_leaves_by_itself() -> None:
    """EX-10: a time-out stops before the buys."""
    house = a_rebalance(limit="105")
    before = len(house.requests())
    marks(house)
    signs(house)
    passes(house, 59)
    assert the_plan(house).phase is BasketPhase.WAITING

    passes(house, 10)
    assert the_plan(house).phase is BasketPhase.ASKING
    assert the_plan(house).phase_reason.startswith("SELL 60 CCC not filled in 60 s")
    passes(house, 300)

    assert the_plan(house).phase is BasketPhase.ASKING
    assert not [request for request in submissions(house, before) if "buy" in request]


def test_the_operator_goes_on_with_the_buys_that_still_fit() -> None:
    """EX-10: seven of eight, for the cash of five sales."""
    house = a_rebalance(limit="105")
    marks(house)
    signs(house)
    passes(house, 70)

    answers(house, goes_on=True)
    runs_out(house)

    assert standings(house).count(BasketOrderState.FILLED) == 5 + 7
    assert standings(house).count(BasketOrderState.REFUSED) == 1
    assert house.last(ConfirmationRefused).reasons[0].startswith("buying power: 4,500")
    assert the_plan(house).end_reason == "12 of 14 filled, 1 still working, 1 not sent"
    assert_can_be_rebuilt(house)


def test_the_operator_stops_it_and_what_waited_is_told_as_not_sent() -> None:
    """EX-10"""
    house = a_rebalance(limit="105")
    before = len(house.requests())
    marks(house)
    signs(house)
    passes(house, 70)

    answers(house, goes_on=False)
    runs_out(house)

    assert len(submissions(house, before)) == 6
    assert the_plan(house).end is BasketEnd.STOPPED
    assert len(house.facts(BasketOrderSkipped)) == 8
    assert house.desk.stage.proposals() == ()


def test_nobody_answers_and_the_buys_are_not_sent() -> None:
    """EX-10: what was signed ends."""
    house = a_rebalance(limit="105")
    before = len(house.requests())
    marks(house)
    signs(house)

    runs_out(house, seconds=1000)

    assert len(submissions(house, before)) == 6
    assert "nobody said in time" in the_plan(house).end_reason


def test_a_sell_that_the_broker_refuses_makes_the_plan_ask_at_once() -> None:
    """EX-10: no buy begins by itself where a sell was not filled."""
    house = a_rebalance()
    marks(house)
    signs(house)
    house.line.refuses_the_next_order("the position is not there")
    passes(house, 20)

    assert the_plan(house).phase is BasketPhase.ASKING
    assert "SELL 60 AAA not filled" in the_plan(house).phase_reason
    assert house.held_by_the_broker(Symbol("GGG")) == "0"


def test_a_buy_that_the_broker_refuses_is_shown_and_the_others_go_on() -> None:
    """EX-10"""
    house = a_rebalance()
    marks(house)
    signs(house)
    while the_plan(house).phase is not BasketPhase.BUYING:
        passes(house, 0.05)
    house.line.refuses_the_next_order("not enough of it to lend")

    report = runs_out(house)

    (refused,) = [line for line in report.lines if line.status is not None and line.status.value == "REJECTED"]
    assert refused.symbol == "GGG"
    assert "not enough of it to lend" in refused.reason
    assert the_plan(house).end_reason == "13 of 14 filled, 1 ended unfilled"


def test_a_buy_that_a_check_refuses_at_its_turn_is_shown_and_the_others_go_on() -> None:
    """EX-10, OP-02: each is checked afresh; the operator refused its symbol meanwhile."""
    house = a_rebalance()
    marks(house)
    signs(house)
    while the_plan(house).phase is not BasketPhase.BUYING:
        passes(house, 0.05)
    hhh = next(order for order in the_plan(house).buys() if order.proposal.symbol == "HHH")
    house.presses(RefuseSymbol(Symbol("HHH"), "refused by the operator"))

    runs_out(house)

    assert house.desk.plans.standings.of(the_plan(house), hhh) is BasketOrderState.REFUSED
    assert the_plan(house).end_reason == "13 of 14 filled, 1 not sent"


@pytest.mark.parametrize("press", [Halt("key"), Kill("key")])
@pytest.mark.parametrize("after", [0.02, 0.05, 0.15, 0.25, 0.6, 0.62, 0.64, 1.5, 1.55, 3.0, 4.5])
def test_a_halt_or_a_kill_stops_what_has_not_gone(press: Halt | Kill, after: float) -> None:
    """OP-07, EX-10: also when the halt is over. A sale whose stop was cancelled for it already goes on (EX-21)."""
    house = a_rebalance()
    house.slows_down(0.1)
    marks(house)
    signs(house)
    passes(house, after)
    created, clearing = len(house.facts(OrderCreated)), standings(house).count(BasketOrderState.CLEARING)

    house.presses(press)
    passes(house, 1)
    house.presses(Resume())
    passes(house, 120)

    late = [fact.order for fact in house.facts(OrderCreated)[created:]]
    assert [order.symbol for order in late if not order.effect.only_reduces] == []
    assert len([order for order in late if not order.type.is_stop]) <= clearing
    assert the_plan(house).phase is BasketPhase.OVER
    assert the_plan(house).end is BasketEnd.STOPPED or BasketOrderState.REFUSED not in standings(house)
    assert_can_be_rebuilt(house)


def test_a_key_on_another_digest_than_is_shown_signs_nothing() -> None:
    """OP-02, OP-04"""
    house = a_rebalance()
    marks(house)
    before = len(house.requests())

    house.presses(SignBasket(the_plan(house).id, Digest("0" * 64)))

    assert house.last(BasketRefused).reasons == (CHANGED,)
    assert len(house.requests()) == before


def test_a_plan_lapses_unsigned_after_three_minutes() -> None:
    """OP-05"""
    house = a_rebalance()
    marks(house)
    passes(house, 178)
    assert the_plan(house).phase is BasketPhase.OPEN
    passes(house, 3)

    assert house.last(BasketEnded).end is BasketEnd.LAPSED
    signs(house)
    assert len(house.facts(BasketSigned)) == 1


def test_a_second_key_on_a_signed_plan_signs_nothing_and_no_other_plan_opens_beside_it() -> None:
    """OP-02"""
    house = a_rebalance()
    marks(house)
    signs(house)
    signed = house.last(BasketSigned)

    house.presses(SignBasket(signed.plan_id, signed.digest))
    house.presses(OpenBasket(BasketSource.FILE, "other.csv", (a_buy("NNN"),)))

    assert len(house.facts(BasketSigned)) == 2
    assert house.last(BasketRefused).reasons == (RUNS,)
    runs_out(house)
    assert the_plan(house).end_reason == "14 of 14 filled"


def test_a_plan_that_is_left_sends_nothing_and_nothing_of_it_is_staged() -> None:
    """OP-05"""
    house = a_rebalance()
    marks(house)
    leaves(house)
    passes(house, 5)

    assert house.last(BasketEnded).end is BasketEnd.LEFT
    assert house.desk.stage.proposals() == ()


def test_an_order_of_the_waiting_proposals_that_was_declined_since_is_left_out_at_its_turn() -> None:
    """OP-05, EX-10: the first four are being checked already, side by side."""
    house = a_house_that_holds(*SOLD, quantity="60")
    for symbol in SOLD:
        house.presses(ProposeClose(Symbol(symbol)))
    opens(house, source=BasketSource.PROPOSALS)
    marks(house)
    signs(house)
    *others, last = (order.proposal for order in the_plan(house).orders)
    house.presses(Decline(last.id, "not this one"))

    runs_out(house)

    assert ({house.held(other.symbol) for other in others}, house.held(last.symbol)) == ({"0"}, "60")
    assert "left Proposals" in house.last(BasketOrderSkipped).reasons[0]


def test_the_report_says_why_an_order_did_not_go_whose_position_was_closed_while_its_figures_were_fetched() -> None:
    """OP-05, EX-10"""
    house = a_house_that_holds("AAA", "BBB", quantity="60")
    house.presses(ProposeFlattening())
    opens(house, source=BasketSource.FLATTEN)
    marks(house)
    house.slows_down(0.2)
    signs(house)
    first = the_plan(house).orders[0].proposal
    assert standings(house)[0] is BasketOrderState.CHECKING
    books = picture_of(house)
    house.accepts(replace(books, positions=[it for it in books.positions if it.symbol != first.symbol]))

    runs_out(house)

    report = house.last(BasketEnded).report
    assert report is not None
    assert (report.lines[0].status, report.lines[0].reason) == (None, "the position is closed")
    assert any("withdrawn: the position is closed" in line for line in words(house))


def test_two_orders_for_one_position_do_not_both_go() -> None:
    """OP-05"""
    house = a_house_that_holds("AAA", quantity="60")
    opens(house, a_sale("AAA", "20"), a_sale("AAA", "20"))

    assert [line.refusals for line in house.last(BasketOpened).plan.lines] == [(), (TWICE,)]


def test_a_row_that_asks_for_what_is_not_held_is_left_out_with_its_place() -> None:
    """OP-05"""
    house = a_house_that_holds("AAA", quantity="60")
    opens(house, a_sale("ZZZ", "20"), a_sale("AAA", "90"))

    plan = house.last(BasketOpened).plan
    (skipped,) = plan.skipped
    assert (skipped.place, skipped.reason) == ("ZZZ row", "there is no ZZZ position that it would reduce")
    assert plan.lines[0].proposal.order.quantity == 60
    assert "90 was asked for, 60 is left to close" in plan.lines[0].proposal.reason


def test_a_size_that_is_raised_to_the_smallest_order_is_tried_against_every_check() -> None:
    """RK-18: here the raised one passes, and over the largest order it would not."""
    from tests.scenarios.plans import SETTINGS

    raised = {
        "sizing": {"budget": "1", "raise_to_minimum": True},
        "min_notional": "1500",
        "max_notional": {"usd": "1400"},
    }
    dump = SETTINGS.model_dump(mode="json")
    settings = SETTINGS.model_validate({**dump, "risk": {**dump["risk"], **raised, "max_notional": {"usd": "1600"}}})
    house = a_floor(settings)
    opens(house, row("AAA", OrderEffect.OPEN, notional="900", limit="100", stop="99"))

    (line,) = house.last(BasketOpened).plan.lines
    assert (line.proposal.order.quantity, line.refusals) == (Decimal(15), ())
    assert "raised to the smallest order of 1500 USD" in line.proposal.reason


def test_a_cash_account_cannot_spend_the_sale_today() -> None:
    """OP-05, RK-16: the dry run knows that it settles tomorrow."""
    house = a_house_that_holds("AAA", quantity="150", multiplier=Decimal(1))
    opens(house, a_sale("AAA"), a_buy("GGG", "100"))

    lines = house.last(BasketOpened).plan.lines
    assert lines[0].refusals == ()
    assert lines[1].refusals[0].startswith("buying power: ")


def test_a_mark_on_what_is_no_part_of_the_plan_changes_nothing() -> None:
    """OP-05"""
    house = a_rebalance()
    house.presses(MarkInBasket(TicketId("other"), the_plan(house).plan.lines[0].proposal.id, True))

    assert the_plan(house).marked == set()
    assert len(house.facts(BasketPhaseChanged)) > 0


def test_the_stream_is_deaf_and_the_poll_finds_the_fills() -> None:
    """EX-10: the fallback of 2 s."""
    house = a_rebalance()
    marks(house)
    house.line.is_deaf = True
    signs(house)

    runs_out(house, seconds=300)

    assert standings(house)[:6] == [BasketOrderState.FILLED] * 6
    assert standings(house).count(BasketOrderState.FILLED) >= 13


def test_a_sale_that_is_in_doubt_holds_the_buys_back() -> None:
    """EX-06, EX-10: its answer was lost; the look-up finds it."""
    house = a_rebalance()
    marks(house)
    house.line.breaks_at(SubmitOrder, arrives=True)
    signs(house)

    runs_out(house, seconds=300)

    assert len([r for r in house.requests() if r == "submit sell market 60"]) == 6
    assert the_plan(house).end_reason == "14 of 14 filled"


def test_a_plan_that_is_not_opened_because_another_runs_is_told_by_the_one_that_runs() -> None:
    """OP-05: its name and the reason stand among what happened."""
    house = a_rebalance(limit="105")
    marks(house)
    signs(house)
    passes(house, 10)

    house.presses(OpenBasket(BasketSource.FILE, "late.csv", (a_buy("GGG", "1"),), request="abc"))

    assert house.last(BasketRefused).request == "abc"
    assert words(house)[-1] == f"another basket, late.csv, was not opened: {RUNS}"


def test_an_amount_with_a_stop_becomes_a_fraction_as_a_quantity_does() -> None:
    """RK-18, OP-06: its stop follows the fill, for what is filled, as an order of the day."""
    house = a_floor()
    opens(house, row("AAA", OrderEffect.OPEN, notional="90", stop="99"))
    marks(house)
    signs(house)
    runs_out(house)

    (order,) = [fact.order for fact in house.facts(OrderCreated) if fact.order.side is Side.BUY]
    (stop,) = house.desk.ledger.exits.working(Symbol("AAA"), "manual")
    assert 0 < order.quantity < 1
    assert (stop.request.quantity, stop.request.stop_price) == (order.quantity, 99)
    assert stop.request.time_in_force is TimeInForce.DAY


@pytest.mark.parametrize(
    ("effect", "lasts", "why"),
    [
        (OrderEffect.OPEN, TimeInForce.GTC, ": gtc is for whole shares; write day, or more"),
        (OrderEffect.SHORT, TimeInForce.DAY, ": a short is for whole shares; write more"),
    ],
)
def test_an_amount_too_small_for_a_share_says_why_it_must_be_whole(
    effect: OrderEffect, lasts: TimeInForce, why: str
) -> None:
    """RK-18"""
    house = a_floor()
    small = replace(row("AAA", effect, notional="90", limit="100", stop="99"), time_in_force=lasts)
    opens(house, a_buy("BBB", "1"), small)

    (skipped,) = the_plan(house).plan.skipped
    assert skipped.reason == f"90 USD buys less than 1 AAA at 100.00{why}"


class SlowToAnswer(Link):
    """The broker acts at once and tells it on the stream; its answer to a submission takes three seconds."""

    def bring(self, effect: Effect, answer: Input) -> Sequence[tuple[timedelta, Input]]:
        is_submission = isinstance(effect, SubmitOrder)
        return [
            (timedelta(seconds=3) if is_submission else delay, told) for delay, told in super().bring(effect, answer)
        ]


def test_an_order_has_its_turn_when_the_broker_has_answered_to_the_one_before_it() -> None:
    """EX-10, OP-02: in a line of one an order would wait behind it and lapse there."""
    house = a_floor()
    opens(house, *(a_buy(symbol, "1.5") for symbol in BOUGHT[:4]))
    marks(house)
    signs(house)
    house.line.link = SlowToAnswer(timedelta(milliseconds=20))

    runs_out(house)

    assert standings(house) == [BasketOrderState.FILLED] * 4
    signed = {order.order_id for order in the_plan(house).orders}
    on_the_wire: set[str] = set()
    for fact in (record.fact for record in house.journal.records()):
        if isinstance(fact, BasketTurnBegun):
            assert not on_the_wire
        elif isinstance(fact, OrderCreated):
            on_the_wire |= {fact.order.client_order_id} & signed
        elif isinstance(fact, OrderSent):
            on_the_wire.discard(fact.client_order_id)
    assert {fact.approval.lapses_at for fact in house.facts(ApprovalRedeemed)[::2]} == {the_plan(house).permitted_until}


def test_a_buy_in_doubt_holds_the_others_back_until_the_plan_asks() -> None:
    """EX-06, EX-10: nobody knows what buying power is left."""
    house = a_floor()
    opens(house, *(a_buy(symbol, "10") for symbol in BOUGHT[:3]))
    marks(house)
    signs(house)
    house.line.is_deaf = True
    house.line.breaks_at(SubmitOrder, arrives=True)
    house.line.breaks_at(LookUpOrder, arrives=True, times=1000)
    passes(house, 5)
    assert [standing.name for standing in standings(house)] == ["IN_DOUBT", "WAITING", "WAITING"]

    passes(house, 5)
    assert the_plan(house).phase is BasketPhase.ASKING
    assert the_plan(house).phase_reason == "BUY 10 GGG in doubt: go on with the buys that still fit, or stop?"
    assert len(the_plan(house).tickets) == 1
    answers(house, goes_on=True)
    passes(house, 5)

    assert len(the_plan(house).tickets) == 3


def test_a_plan_is_never_told_to_confirm_a_ticket() -> None:
    """OP-02: who signed a basket has none; what never left is NOT SENT, not cancelled."""
    house = a_floor()
    opens(house, *(a_buy(symbol, "10") for symbol in BOUGHT[:2]))
    marks(house)
    signs(house)
    gateway = house.line.gateway
    for number in range(1, 20):
        gateway.used.add(digest_of("ticket", str(number))[:16])

    report = runs_out(house)

    assert standings(house) == [BasketOrderState.REFUSED] * 2
    told = [line.reason for line in report.lines] + words(house) + [the_plan(house).end_reason]
    assert any("was used already; the next basket may have it" in one for one in told)
    assert not [one for one in told if "ticket" in one or "UTC" in one]


def test_the_head_of_a_plan_that_is_over_counts_its_orders_as_they_stand() -> None:
    """EX-10: what was still working at its end is cancelled afterwards."""
    house = a_rebalance(limit="105")
    marks(house)
    signs(house)
    passes(house, 70)
    answers(house, goes_on=False)
    runs_out(house)
    assert the_plan(house).end_reason.startswith("5 of 14 filled, 1 still working, 8 not sent; stopped")
    (sale,) = [o for o in house.desk.ledger.working() if o.request.limit_price == 105]

    house.presses(RequestCancel(sale.id))
    passes(house, 2)

    view = ViewBuilder(house.engine).draw(house.line.at).plan
    assert view is not None
    assert view.end_reason.startswith("5 of 14 filled, 1 ended unfilled, 8 not sent; stopped")


@pytest.mark.parametrize(
    ("price", "told"), [("328.2", "328.20"), ("100", "100.00"), ("0.0123", "0.0123"), ("1234.5000", "1234.50")]
)
def test_a_fill_is_told_with_two_decimals_at_least(price: str, told: str) -> None:
    """OP-12: among what happened in the basket, and in the log."""
    house = a_floor()
    opens(house, a_buy("AAA", "18"))
    marks(house)
    signs(house)
    runs_out(house)
    (filled,) = house.facts(OrderFilled)
    fact = replace(filled, fill=replace(filled.fill, price=Price(Decimal(price))))

    house.desk.plans.folds[OrderFilled](house.line.at, fact)  # type: ignore[operator]

    assert the_plan(house).events.pop()[1] == f"BUY 18 AAA: filled 18 at {told}"  # it never was in the journal
    assert f" filled 18 at {told} (" in in_words(fact)


def a_plan_whose_buy_works() -> House:
    """One buy rests at 95, far below the market; the basket waits for its fill, five seconds long."""
    house = a_floor()
    house.slows_down(0.3)
    opens(house, a_buy("GGG", limit="95", stop="94"), a_buy("HHH"))
    marks(house)
    signs(house)
    while the_plan(house).phase is not BasketPhase.SETTLING:
        passes(house, 0.1)
    return house


def test_the_report_behind_a_kill_is_of_what_the_kill_left() -> None:
    """OP-05, OP-07, EX-10: the broker is asked again when what was taken back is gone"""
    house = a_plan_whose_buy_works()
    house.line.breaks_at(CancelOrder, arrives=False)
    house.presses(Kill("key"))

    report = runs_out(house)

    (gone,) = [line for line in report.lines if line.symbol == "GGG"]
    assert (gone.status, gone.reason) == (OrderStatus.CANCELLED, "killed by key")
    assert the_plan(house).end_reason.startswith("1 of 2 filled, 1 ended unfilled; stopped")
    assert report.is_of_the_broker
    assert report.power_after == house.exchange.account(house.line.at).buying_power


def test_the_report_behind_a_kill_names_what_the_broker_has_not_given_up() -> None:
    """OP-05, OP-07: it is waited for ten seconds, and then said"""
    house = a_plan_whose_buy_works()
    house.line.breaks_at(CancelOrder, arrives=False, times=99)
    house.presses(Kill("key"))
    killed_at = house.line.at

    runs_out(house)

    assert house.line.at - killed_at >= timedelta(seconds=10)
    assert "1 still working" in the_plan(house).end_reason
