"""A reversal: two orders on one basket, the second only where nothing is held any more; or none, and why."""

from __future__ import annotations

from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.facts import BasketOpened, BasketRefused, BasketSigned
from core.messages.commands import MarkInBasket, ProposeClose, ReversePosition
from core.model.basket import BasketEnd, BasketPhase, BasketSource
from core.model.order import Effect, Side
from core.model.staging import MANUAL
from core.model.values import Quantity, Symbol, plain
from core.workflows.basket_dry_run import NOT_FLAT
from core.workflows.baskets import NONE_MARKED
from tests.scenarios.house import House
from tests.scenarios.plans import a_house_that_holds, answers, marks, passes, runs_out, signs, the_plan

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
