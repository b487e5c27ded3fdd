"""Baskets that reverse a position, and baskets of real money (OP-05)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import BasketOpened, BasketRefused, BasketSigned
from core.messages.commands import BasketRow, MarkInBasket, ProposeClose, ReversePosition, SignBasket
from core.model.account import Mode
from core.model.basket import BasketEnd, BasketPhase, BasketSource, holds_as_typed, whole_dollars
from core.model.order import Effect, Side
from core.model.staging import MANUAL
from core.model.values import Money, Quantity, Symbol, plain
from core.settings.service import AccountSettings
from core.workflows.basket_dry_run import NOT_FLAT
from core.workflows.baskets import NONE_MARKED, NOT_PRICED, NOT_TYPED, BasketDrafts, digest_now, rehearsed
from tests.scenarios.house import House
from tests.scenarios.plans import (
    SETTINGS,
    a_buy,
    a_floor,
    a_house_that_holds,
    a_sale,
    answers,
    marks,
    opens,
    passes,
    runs_out,
    signs,
    the_plan,
)
from tests.scenarios.plans import a_house_that_holds as one_that_holds

AAA = Symbol("AAA")


def turns(house: House, quantity: str = "60", symbol: Symbol = AAA) -> None:
    house.presses(ReversePosition(symbol, MANUAL, Quantity(Decimal(quantity))))
    passes(house, 1)


def held(house: House, symbol: Symbol = AAA) -> str:
    return plain(sum((p.quantity for p in house.desk.ledger.positions_in(symbol)), Decimal(0)))


def test_long_becomes_short_with_a_stop_as_far_away() -> None:
    """OP-05, EX-10, EX-21: its own stop makes way, the close fills, and only then the sale short leaves"""
    house = a_house_that_holds("AAA", quantity="60")
    sent = len(house.sent())
    turns(house)
    marks(house)
    signs(house)
    runs_out(house)

    assert held(house) == "-60"
    submitted = [request for request in house.sent()[sent:] if request[0] == "submit"]
    assert submitted == [("submit", "sell", "market", "60")] * 2
    (stop,) = [order for order in house.stops if order.is_working and order.request.symbol == AAA]
    assert (stop.request.side, stop.request.stop_price, plain(stop.remaining)) == (Side.BUY, Decimal(101), "60")
    assert the_plan(house).end is BasketEnd.DONE


def test_short_becomes_long() -> None:
    """OP-05"""
    house = a_house_that_holds("AAA", quantity="60")
    turns(house)
    marks(house)
    signs(house)
    runs_out(house)
    passes(house, 61)  # within the minute it would be a twin of the first purchase

    turns(house, "-60")
    marks(house)
    signs(house)
    runs_out(house)

    assert held(house) == "60"


def test_reversal_sends_nothing_unsigned() -> None:
    """OP-01, OP-05"""
    house = a_house_that_holds("AAA", quantity="60")
    sent = len(house.requests())
    turns(house)

    run = the_plan(house)
    assert run.plan.source is BasketSource.REVERSAL
    assert [line.proposal.order.effect for line in run.plan.lines] == [Effect.CLOSE, Effect.SHORT]
    assert not run.marked
    passes(house, 30)
    assert house.requests()[sent:] == []


def test_entry_alone_does_not_go() -> None:
    """EX-13: a sale short of what is held would close it, and leave its stop behind"""
    house = a_house_that_holds("AAA", quantity="60")
    turns(house)
    run = the_plan(house)
    house.presses(MarkInBasket(run.id, run.plan.lines[1].proposal.id, True))
    signed = len(house.facts(BasketSigned))
    signs(house)
    passes(house, 5)

    assert the_plan(house).phase is BasketPhase.OPEN
    assert the_plan(house).refused_because == (NONE_MARKED,)
    assert len(house.facts(BasketSigned)) == signed
    assert held(house) == "60"


def test_unfilled_close_blocks_the_entry() -> None:
    """EX-10: the basket asks, and its entry still finds the shares"""
    house = a_house_that_holds("AAA", quantity="60")
    turns(house)
    marks(house)
    house.line.refuses_the_next_order("not now")
    signs(house)
    passes(house, 5)
    assert the_plan(house).phase is BasketPhase.ASKING

    answers(house, goes_on=True)
    runs_out(house)

    (_, entry) = the_plan(house).orders
    assert the_plan(house).refusals[entry.proposal.id] == (NOT_FLAT,)
    assert held(house) == "60"
    (stop,) = [order for order in house.stops if order.is_working]
    assert (stop.request.side, plain(stop.remaining)) == (Side.SELL, "60")


def test_refused_reversals_open_no_basket(snapshot: SnapshotAssertion) -> None:
    """OP-04, OP-06, RK-17: another quantity than is held, an exit that waits, a fraction that cannot be sold short"""
    refused = {}
    for name, held_of_it, turned in (
        ("other quantity", "60", "50"),
        ("exit waits", "60", "60"),
        ("fraction", *["0.5"] * 2),
    ):
        house = a_house_that_holds("AAA", quantity=held_of_it)
        opened = len(house.facts(BasketOpened))
        if name == "exit waits":
            house.presses(ProposeClose(AAA))
            passes(house, 1)
        turns(house, turned)
        assert len(house.facts(BasketOpened)) == opened, name
        refused[name] = house.last(BasketRefused).reasons
    assert refused == snapshot


def of_real_money(house: House) -> House:
    house.desk.mode = Mode.LIVE
    return house


def a_live_floor(*rows: BasketRow) -> House:
    """Two buys that cost 15,002 USD in all, at an ask of 100.01."""
    settings = SETTINGS.model_copy(update={"account": AccountSettings(mode=Mode.LIVE)})
    house = of_real_money(a_floor(settings))
    opens(house, *(rows or (a_buy("AAA", "100"), a_buy("BBB", "50"))))
    marks(house)
    return house


def signs_with(house: House, typed: str | None) -> None:
    run = the_plan(house)
    going = [t for t in rehearsed(house.desk, house.engine.the(BasketDrafts).gate, run) if t.fits]
    worth = None if typed is None else Money(Decimal(typed))
    house.presses(SignBasket(run.id, digest_now(house.desk, run, going), worth))


def test_the_key_alone_signs_no_entries_with_real_money() -> None:
    """OP-05"""
    house = a_live_floor()

    signs_with(house, None)

    assert house.last(BasketRefused).reasons == (NOT_TYPED,)
    assert house.facts(BasketSigned) == []


@pytest.mark.parametrize(
    ("typed", "is_signed"), [("15000", True), ("1500", False), ("150000", False), ("15700", False)]
)
def test_what_its_entries_cost_signs_it_and_no_other_figure_does(typed: str, is_signed: bool) -> None:
    """OP-05"""
    house = a_live_floor()
    view = house.line.view().plan
    assert view is not None
    assert view.worth is not None
    assert whole_dollars(view.worth)[:2] == "15"

    signs_with(house, typed)

    assert bool(house.facts(BasketSigned)) is is_signed
    if is_signed:
        assert house.last(BasketSigned).worth == Decimal(typed)
    else:
        assert "read it again" in house.last(BasketRefused).reasons[0]


def test_without_a_price_of_each_entry_it_is_not_signed() -> None:
    """OP-05: nobody can say what it costs."""
    house = a_live_floor()
    view, run = house.line.view().plan, the_plan(house)
    assert view is not None
    unpriced = replace(view, rows=(replace(view.rows[0], cost=None), *view.rows[1:]))
    first, *others = rehearsed(house.desk, house.engine.the(BasketDrafts).gate, run)

    assert unpriced.worth is None
    assert (
        house.engine.the(BasketDrafts)._untyped([replace(first, cost=None), *others], Money(Decimal(15000)))
        == NOT_PRICED
    )


def test_a_plan_that_only_reduces_needs_no_figure() -> None:
    """OP-05, RK-22"""
    house = of_real_money(one_that_holds("AAA", quantity="60"))
    opens(house, a_sale("AAA"))
    marks(house)

    signs_with(house, None)

    assert house.facts(BasketSigned)


def test_on_paper_the_key_signs_alone() -> None:
    """OP-05"""
    house = a_floor()
    opens(house, a_buy("AAA", "10"))
    marks(house)

    signs_with(house, None)

    assert house.last(BasketSigned).worth is None


@pytest.mark.parametrize(
    ("typed", "worth", "holds"), [("1", "0.4", True), ("100", "102", True), ("100", "102.1", False)]
)
def test_a_figure_holds_within_two_hundredths_and_a_dollar(typed: str, worth: str, holds: bool) -> None:
    """OP-05"""
    assert holds_as_typed(Decimal(typed), Money(Decimal(worth))) is holds


@pytest.mark.parametrize(
    ("worth", "figure"), [("0.4", "0"), ("0.5", "1"), ("15001.50", "15002"), ("999999.49", "999999")]
)
def test_the_figure_is_rounded_as_it_is_spoken(worth: str, figure: str) -> None:
    """OP-05"""
    assert whole_dollars(Money(Decimal(worth))) == figure
