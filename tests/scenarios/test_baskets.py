"""A basket: many orders, signed once; what reduces goes first, buys wait for it, and the broker has the last word."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.event_text import in_words
from core.messages.commands import (
    AnswerBasket,
    Decline,
    Halt,
    Kill,
    MarkInBasket,
    MoveStop,
    OpenBasket,
    ProposeClose,
    ProposeFlattening,
    RefuseSymbol,
    RequestCancel,
    Resume,
    SignBasket,
)
from core.model.basket import BasketEnd, BasketOrderState, BasketPhase, BasketSource
from core.model.codes import BasketStop
from core.model.order import Effect as OrderEffect
from core.model.order import OrderStatus, Side, TimeInForce, digest_of
from core.model.values import Digest, Money, Price, Symbol, TicketId
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.workflows.basket_dry_run import TWICE
from core.workflows.baskets import CHANGED, NONE_MARKED, RUNS
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt
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
from tests.scenarios.test_changes_elsewhere import view_of

NAMES = tuple[str, ...]


def a_rebalance(sold: NAMES = SOLD[:3], bought: NAMES = BOUGHT[:4], **sale: object) -> House:
    """Positions of 36,000 in an account of 20,000 lent twice; buys of 36,000 need what their sale frees.

    `sale` are other terms of the sale of CCC.
    """
    held, wanted = str(360 // len(sold)), str(360 // len(bought))
    house = a_house_that_holds(*sold, quantity=held)
    sales = [a_sale(symbol, held, **(sale if symbol == "CCC" else {})) for symbol in sold]
    opens(house, *(a_buy(symbol, wanted) for symbol in bought), *sales)
    return house


def a_rebalance_in_turn() -> House:
    """It buys: its sells are filled."""
    house = a_rebalance()
    marks(house)
    signs(house)
    while the_plan(house).phase is not BasketPhase.BUYING:
        passes(house, 0.05)
    return house


def a_rebalance_that_asks() -> House:
    """The sale of CCC is not filled in time."""
    house = a_rebalance(limit="105")
    marks(house)
    signs(house)
    passes(house, 70)
    assert the_plan(house).phase is BasketPhase.ASKING
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


def counts(house: House) -> dict[str, int]:
    """How many orders stand where."""
    return dict(Counter(standing.name for standing in standings(house)))


def submissions(house: House, before: int) -> list[tuple[str, ...]]:
    return [request for request in house.sent()[before:] if request[0] == "submit"]


def test_one_key_sends_the_sell_then_the_buy() -> None:
    """OP-05, EX-10, OP-02"""
    house = a_house_that_holds("AAA", "BBB", "CCC", quantity="130")
    before = len(house.requests())
    opens(house, a_buy("GGG", "120"), a_sale("AAA"))
    marks(house)

    signs(house)
    report = runs_out(house)

    assert house.sent()[before:] == [
        ("cancel",),
        ("submit", "sell", "market", "130"),
        ("submit", "buy", "market", "120"),
    ]
    assert (house.held(Symbol("AAA")), house.held(Symbol("GGG"))) == ("0", "120")
    assert [line.reason for line in report.lines] == ["", ""]
    assert report.is_of_the_broker


@pytest.mark.usefixtures("a_tick_each_way")
def test_buys_wait_for_all_sells_and_fresh_buying_power() -> None:
    """EX-10, OP-03: by the journal's own order of events, and by the buying power that each approval used."""
    house = a_rebalance(SOLD, BOUGHT)
    before, approved = len(house.sent()), len(house.facts(facts.OrderApproved))
    marks(house)
    signs(house)

    report = runs_out(house)

    wanted = [("submit", "sell", "market", "60")] * 6 + [("submit", "buy", "market", "45")] * 8
    assert submissions(house, before) == wanted
    powers = [fact.buying_power for fact in house.facts(facts.OrderApproved)[approved:]]
    free_at_first_buy, at_last = powers[6], powers[13]
    assert powers[0] is not None
    assert free_at_first_buy is not None
    assert at_last is not None
    assert (powers[0] < 5_000, free_at_first_buy > 35_000) == (True, True)
    assert free_at_first_buy - at_last > 7 * 4_400
    sells = {order.order_id for order in the_plan(house).sells()}
    run, journal = the_plan(house), [record.fact for record in house.journal.records()]
    sold, buying = (
        [n for n, fact in enumerate(journal) if is_it(fact)]
        for is_it in (
            lambda fact: isinstance(fact, facts.OrderFilled) and fact.fill.client_order_id in sells,
            lambda fact: isinstance(fact, facts.BasketPhaseChanged) and fact.phase is BasketPhase.BUYING,
        )
    )
    bought = {order.proposal.id for order in run.buys()}
    turns = [n for n, f in enumerate(journal) if isinstance(f, facts.BasketTurnBegun) and f.proposal_id in bought]
    assert max(sold) < buying[-1] < min(turns)
    assert (run.end, counts(house)) == (BasketEnd.DONE, {"FILLED": 14})
    assert dict(report.positions)[Symbol("GGG")] == 45
    assert report.power_before is not None
    assert report.power_after is not None
    assert all(line.average == line.expected for line in report.lines)


def test_dry_run_counts_the_orders_before_each() -> None:
    """OP-05: without the sales the buys do not fit; with them the last one takes what is left."""
    house = a_rebalance()
    (opened,) = house.facts(facts.BasketOpened)[1:]
    assert [line.refusals for line in opened.plan.lines] == [()] * 7

    marks(house, *BOUGHT[:4])
    signs(house)

    assert house.last(facts.BasketRefused).reasons == (NONE_MARKED,)
    opens(house, *(a_buy(symbol, "90") for symbol in BOUGHT[:4]))
    refused = [line.refusals for line in house.last(facts.BasketOpened).plan.lines]
    assert refused[0][0].startswith("buying power: 9,000")
    assert house.last(facts.BasketEnded).end is BasketEnd.LEFT


def test_unmarked_and_unaffordable_orders_are_left_out() -> None:
    """OP-05: with its reason."""
    house = a_rebalance()
    marks(house, "AAA", "GGG", "HHH")
    signs(house)

    signed = house.last(facts.BasketSigned)
    runs_out(house)

    assert [order.proposal.symbol for order in signed.orders] == ["AAA", "GGG"]
    why = dict(signed.left_out)
    run = the_plan(house)
    by_symbol = {line.proposal.symbol: why.get(line.proposal.id) for line in run.plan.lines}
    assert by_symbol[Symbol("BBB")] == ("not marked",)
    second = by_symbol[Symbol("HHH")]
    assert second is not None
    assert second[0].startswith("buying power: 9,000")


def test_unfilled_sell_asks_before_the_buys(snapshot: SnapshotAssertion) -> None:
    """EX-10: a time-out stops before the buys."""
    house = a_rebalance(limit="105")
    before = len(house.sent())
    marks(house)
    signs(house)
    passes(house, 59)
    assert the_plan(house).phase is BasketPhase.WAITING

    passes(house, 10)
    assert the_plan(house).phase is BasketPhase.ASKING
    assert the_plan(house).phase_reason == snapshot
    passes(house, 150)

    assert the_plan(house).phase is BasketPhase.ASKING
    assert {request[1] for request in submissions(house, before)} == {"sell"}


def test_operator_goes_on_with_the_buys_that_fit(snapshot: SnapshotAssertion) -> None:
    """EX-10: three of four, for the cash of two sales."""
    house = a_rebalance_that_asks()

    answers(house, goes_on=True)
    runs_out(house)

    assert counts(house) == {"FILLED": 2 + 3, "WORKING": 1, "REFUSED": 1}
    assert house.last(facts.ConfirmationRefused).checks[0] == "buying power"
    assert the_plan(house).end_reason == snapshot


def test_go_on_answers_the_question_that_was_painted() -> None:
    """EX-10: a late one answers no later question, and one that names none answers nothing."""
    house = a_rebalance_that_asks()
    run = the_plan(house)
    assert run.phase_since is not None
    for question in (None, run.phase_since - timedelta(seconds=1)):
        house.presses(AnswerBasket(run.id, True, question))
        passes(house, 5)
        assert the_plan(house).phase is BasketPhase.ASKING

    house.presses(AnswerBasket(run.id, True, run.phase_since))

    assert [fact.plan_id for fact in house.facts(facts.BasketRefused)] == [run.id, run.id]
    assert the_plan(house).phase is not BasketPhase.ASKING


def test_operator_stops_a_basket_that_asks(snapshot: SnapshotAssertion) -> None:
    """EX-10: what waited is told as not sent; what works at its end is cancelled afterwards."""
    house = a_rebalance_that_asks()
    before = len(house.sent())

    answers(house, goes_on=False)
    runs_out(house)

    assert submissions(house, before) == []
    assert the_plan(house).end is BasketEnd.STOPPED
    assert len(house.facts(facts.BasketOrderSkipped)) == 4
    assert house.desk.stage.proposals() == ()
    (sale,) = [o for o in house.desk.ledger.working() if o.request.limit_price == 105]
    house.presses(RequestCancel(sale.id))
    passes(house, 2)
    view = ViewBuilder(house.engine).draw(house.line.at).plan
    assert view is not None
    assert {"at its end": the_plan(house).end_reason, "afterwards": view.end_reason} == snapshot


def test_report_counts_orders_the_ledger_forgot(monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-10: the desk was off for a week, and the report said that nothing had filled."""
    monkeypatch.setattr("core.execution.past_orders.KEPT", timedelta(0))
    house = a_rebalance_that_asks()

    house.desk.record(facts.DayStarted(house.desk.at.date(), Money(Decimal(20_000))))
    answers(house, goes_on=False)
    report = runs_out(house)

    assert [line.filled for line in report.lines if line.side is Side.SELL] == [120, 120, 0]
    assert the_plan(house).end_reason.startswith("2 of 7 ")
    assert_can_be_rebuilt(house)  # while the memory is short


def test_unanswered_basket_sends_no_buys() -> None:
    """EX-10: what was signed ends."""
    house = a_rebalance_that_asks()
    before = len(house.sent())

    runs_out(house, seconds=1000)

    assert submissions(house, before) == []
    assert the_plan(house).stop is BasketStop.UNANSWERED


def test_rejected_sell_asks_at_once() -> None:
    """EX-10: no buy begins by itself where a sell was not filled."""
    house = a_rebalance()
    marks(house)
    signs(house)
    house.line.refuses_the_next_order("the position is not there")
    passes(house, 20)

    assert the_plan(house).phase is BasketPhase.ASKING
    assert counts(house) == {"ENDED": 1, "FILLED": 2, "WAITING": 4}
    assert standings(house)[0] is BasketOrderState.ENDED
    assert "AAA" in the_plan(house).phase_reason
    assert house.held_by_the_broker(Symbol("GGG")) == "0"


def test_rejected_buy_is_reported_and_the_others_go_on(snapshot: SnapshotAssertion) -> None:
    """EX-10"""
    house = a_rebalance_in_turn()
    house.line.refuses_the_next_order("not enough of it to lend")

    report = runs_out(house)

    assert [line.symbol for line in report.lines if line.status is OrderStatus.REJECTED] == ["GGG"]
    assert counts(house) == {"FILLED": 6, "ENDED": 1}
    words = {"order": [line.reason for line in report.lines if line.reason], "end": the_plan(house).end_reason}
    assert words == snapshot


def test_buy_refused_by_a_check_lets_the_others_go_on(snapshot: SnapshotAssertion) -> None:
    """EX-10, OP-02: each is checked afresh; the operator refused its symbol meanwhile."""
    house = a_rebalance_in_turn()
    hhh = next(order for order in the_plan(house).buys() if order.proposal.symbol == "HHH")
    house.presses(RefuseSymbol(Symbol("HHH"), "refused by the operator"))

    runs_out(house)

    assert house.desk.plans.standings.of(the_plan(house), hhh) is BasketOrderState.REFUSED
    assert counts(house) == {"FILLED": 6, "REFUSED": 1}
    assert the_plan(house).end_reason == snapshot


STOPS: tuple[tuple[Halt | Kill, float], ...] = (
    *((Halt("key"), after) for after in (0.05, 0.62)),
    *((Kill("key"), after) for after in (0.15, 1.5, 3.0)),
)
"""Seconds after the key: while orders are checked, on the wire, filled, and between sells and buys."""


@pytest.mark.parametrize(("press", "after"), STOPS)
def test_halt_or_kill_stops_unsent_orders(press: Halt | Kill, after: float) -> None:
    """OP-07, EX-10: also when the halt is over. A sale whose stop was cancelled for it already goes on (EX-21)."""
    house = a_rebalance()
    house.slows_down(0.1)
    marks(house)
    signs(house)
    passes(house, after)
    created, clearing = len(house.facts(facts.OrderCreated)), standings(house).count(BasketOrderState.CLEARING)

    house.presses(press)
    passes(house, 1)
    house.presses(Resume())
    passes(house, 70)

    late = [fact.order for fact in house.facts(facts.OrderCreated)[created:]]
    assert [order.symbol for order in late if not order.effect.only_reduces] == []
    assert len([order for order in late if not order.type.is_stop]) <= clearing
    assert the_plan(house).phase is BasketPhase.OVER
    assert the_plan(house).end is BasketEnd.STOPPED or BasketOrderState.REFUSED not in standings(house)


def test_another_digest_signs_nothing() -> None:
    """OP-02, OP-04"""
    house = a_rebalance()
    marks(house)
    before = len(house.requests())

    house.presses(SignBasket(the_plan(house).id, Digest("0" * 64)))

    assert house.last(facts.BasketRefused).reasons == (CHANGED,)
    assert len(house.requests()) == before


def test_unsigned_basket_lapses_after_three_minutes() -> None:
    """OP-05"""
    house = a_rebalance()
    marks(house)
    passes(house, 178)
    assert the_plan(house).phase is BasketPhase.OPEN
    passes(house, 3)

    assert house.last(facts.BasketEnded).end is BasketEnd.LAPSED
    signs(house)
    assert len(house.facts(facts.BasketSigned)) == 1


def test_running_basket_is_the_only_one() -> None:
    """OP-02"""
    house = a_rebalance()
    marks(house)
    signs(house)
    signed = house.last(facts.BasketSigned)

    house.presses(SignBasket(signed.plan_id, signed.digest))
    house.presses(OpenBasket(BasketSource.FILE, "other.csv", (a_buy("NNN"),)))

    assert len(house.facts(facts.BasketSigned)) == 2
    assert house.last(facts.BasketRefused).reasons == (RUNS,)
    runs_out(house)
    assert counts(house) == {"FILLED": 7}


def test_closed_basket_sends_and_stages_nothing() -> None:
    """OP-05"""
    house = a_rebalance()
    marks(house)
    leaves(house)
    passes(house, 5)

    assert house.last(facts.BasketEnded).end is BasketEnd.LEFT
    assert house.desk.stage.proposals() == ()


def test_stop_that_waits_for_its_key_is_in_no_basket() -> None:
    """EX-10, EX-13: a basket would hold it back behind the sells."""
    house = a_house_that_holds("AAA")
    (stop,) = house.stops
    house.presses(RequestCancel(stop.id))
    passes(house, 2)
    house.presses(MoveStop(Symbol("AAA"), stop.strategy, Price(Decimal(98))))
    house.presses(replace(a_typed_buy("10", limit="99", stop="98"), symbol=Symbol("BBB")))
    assert sorted(p.symbol for p in house.desk.stage.proposals() if p.is_guard or not p.is_exit) == ["AAA", "BBB"]

    run = opens(house, source=BasketSource.PROPOSALS)

    assert [line.proposal.symbol for line in run.plan.lines] == ["BBB"]


def test_proposal_declined_since_is_left_out() -> None:
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
    assert "left Proposals" in house.last(facts.BasketOrderSkipped).reasons[0]


def test_order_of_a_closed_position_is_withdrawn(snapshot: SnapshotAssertion) -> None:
    """OP-05, EX-10"""
    house = a_house_that_holds("AAA", "BBB", quantity="60")
    house.presses(ProposeFlattening())
    opens(house, source=BasketSource.FLATTEN)
    marks(house)
    house.slows_down(0.2)
    signs(house)
    first = the_plan(house).orders[0].proposal
    assert standings(house)[0] is BasketOrderState.CHECKING
    books = view_of(house)
    house.accepts(replace(books, positions=[it for it in books.positions if it.symbol != first.symbol]))

    runs_out(house)

    report = house.last(facts.BasketEnded).report
    assert report is not None
    assert report.lines[0].status is None
    withdrawn = [line for line in words(house) if " withdrawn: " in line]
    assert {"report": report.lines[0].reason, "events": withdrawn} == snapshot


def test_second_order_for_a_position_is_refused() -> None:
    """OP-05"""
    house = a_house_that_holds("AAA", quantity="60")
    opens(house, a_sale("AAA", "20"), a_sale("AAA", "20"))

    assert [line.refusals for line in house.last(facts.BasketOpened).plan.lines] == [(), (TWICE,)]


def test_sale_of_what_is_not_held_is_left_out(snapshot: SnapshotAssertion) -> None:
    """OP-05"""
    house = a_house_that_holds("AAA", quantity="60")
    opens(house, a_sale("ZZZ", "20"), a_sale("AAA", "90"))

    plan = house.last(facts.BasketOpened).plan
    (skipped,) = plan.skipped
    assert skipped.place == "ZZZ row"
    assert plan.lines[0].proposal.order.quantity == 60
    assert {"skipped": skipped.reason, "smaller": plan.lines[0].proposal.reason} == snapshot


def test_raised_size_is_tried_against_every_check(snapshot: SnapshotAssertion) -> None:
    """RK-18: here the raised one passes, and over the largest order it would not."""
    house = a_floor(raised_to("1500", "1600"))
    opens(house, row("AAA", OrderEffect.OPEN, notional="900", limit="100", stop="99"))

    (line,) = house.last(facts.BasketOpened).plan.lines
    assert (line.proposal.order.quantity, line.refusals) == (Decimal(15), ())
    assert line.proposal.reason == snapshot


def test_cash_account_cannot_spend_the_sale_today() -> None:
    """OP-05, RK-16: the dry run knows that it settles tomorrow."""
    house = a_house_that_holds("AAA", quantity="150", multiplier=Decimal(1))
    opens(house, a_sale("AAA"), a_buy("GGG", "100"))

    lines = house.last(facts.BasketOpened).plan.lines
    assert lines[0].refusals == ()
    assert lines[1].refusals[0].startswith("buying power: ")


def test_mark_for_another_basket_changes_nothing() -> None:
    """OP-05"""
    house = a_rebalance()
    house.presses(MarkInBasket(TicketId("other"), the_plan(house).plan.lines[0].proposal.id, True))

    assert the_plan(house).marked == set()
    assert len(house.facts(facts.BasketPhaseChanged)) > 0


def test_running_basket_reports_one_not_opened() -> None:
    """OP-05: its name and the reason stand among what happened."""
    house = a_rebalance(limit="105")
    marks(house)
    signs(house)
    passes(house, 10)

    house.presses(OpenBasket(BasketSource.FILE, "late.csv", (a_buy("GGG", "1"),), request="abc"))

    assert house.last(facts.BasketRefused).request == "abc"
    assert "late.csv" in words(house)[-1]
    assert words(house)[-1].endswith(f": {RUNS}")


def test_amount_with_a_stop_becomes_a_fraction() -> None:
    """RK-18, OP-06: its stop follows the fill, for what is filled, as an order of the day."""
    house = a_floor()
    opens(house, row("AAA", OrderEffect.OPEN, notional="90", stop="99"))
    marks(house)
    signs(house)
    runs_out(house)

    (order,) = [fact.order for fact in house.facts(facts.OrderCreated) if fact.order.side is Side.BUY]
    (stop,) = house.desk.ledger.exits.working(Symbol("AAA"), "manual")
    assert 0 < order.quantity < 1
    assert (stop.request.quantity, stop.request.stop_price) == (order.quantity, 99)
    assert stop.request.time_in_force is TimeInForce.DAY


def test_amount_below_one_whole_share_is_skipped(snapshot: SnapshotAssertion) -> None:
    """RK-18"""
    house = a_floor()
    rows = [("AAA", OrderEffect.OPEN, TimeInForce.GTC), ("CCC", OrderEffect.SHORT, TimeInForce.DAY)]
    small = [
        replace(row(symbol, effect, notional="90", limit="100", stop="99"), time_in_force=lasts)
        for symbol, effect, lasts in rows
    ]
    opens(house, a_buy("BBB", "1"), *small)

    assert [(skipped.place, skipped.reason) for skipped in the_plan(house).plan.skipped] == snapshot


def test_basket_texts_never_mention_a_ticket(snapshot: SnapshotAssertion) -> None:
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
    assert [line.reason for line in report.lines] == snapshot
    assert not [one for one in told if "ticket" in one or "UTC" in one]


def test_fill_prices_have_at_least_two_decimals(snapshot: SnapshotAssertion) -> None:
    """OP-12: among what happened in the basket, and in the log."""
    house = a_floor()
    opens(house, a_buy("AAA", "18"))
    marks(house)
    signs(house)
    runs_out(house)
    (filled,) = house.facts(facts.OrderFilled)
    told = {}
    for price in ("328.2", "100", "0.0123", "1234.5000"):
        fact = replace(filled, fill=replace(filled.fill, price=Price(Decimal(price))))

        house.desk.plans.folds[facts.OrderFilled](house.line.at, fact)  # type: ignore[operator]

        _, event = the_plan(house).events.pop()  # it never was in the journal
        told[price] = [event, in_words(fact).partition(" filled ")[2].partition(" (")[0]]
    assert told == snapshot
