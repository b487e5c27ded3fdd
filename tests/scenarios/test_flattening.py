"""Flattening ends entries too: what works and could open is taken back first, on one key; what is left is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import BasketSigned, CancelRequested, Fact, Halted, Killed, OrderCreated
from core.messages.commands import Kill, MarkInBasket, ProposeFlattening, RequestCancel
from core.messages.effects import CancelOrder, SubmitOrder
from core.messages.effects import Effect as Request
from core.model.basket import BasketEnd, BasketOrderState, BasketPhase, BasketSource
from core.model.codes import HaltCause
from core.model.order import Effect, OrderStatus
from core.model.values import Money, ProposalId, Symbol
from core.runtime.inbox import Link
from core.views.builders.desk import ViewBuilder
from tests.scenarios.house import House, minutes
from tests.scenarios.plans import (
    BOUGHT,
    SETTINGS,
    a_buy,
    a_floor,
    a_house_that_holds,
    leaves,
    marks,
    opens,
    passes,
    runs_out,
    signs,
    the_plan,
    words,
)

GGG = Symbol("GGG")


def rests(house: House, *symbols: str, quantity: str = "10", limit: str = "99.50") -> None:
    """Entries below the market: they work, and do not fill."""
    opens(house, *(a_buy(symbol, quantity, limit=limit) for symbol in symbols))
    marks(house)
    signs(house)
    runs_out(house)


def flattens(house: House) -> None:
    house.presses(ProposeFlattening())
    opens(house, source=BasketSource.FLATTEN)


def entries(house: House) -> list[OrderStatus]:
    orders = house.desk.ledger.state.orders.values()
    return [o.status for o in orders if not o.only_reduces and o.request.limit_price is not None]


def test_flattening_cancels_entries_with_no_position(snapshot: SnapshotAssertion) -> None:
    """OP-07"""
    house = a_floor()
    rests(house, *BOUGHT)
    before = len(house.requests())

    flattens(house)
    signs(house)
    report = runs_out(house)

    assert house.requests()[before:] == ["cancel"] * 8
    assert entries(house) == [OrderStatus.CANCELLED] * 8
    assert house.desk.plans.standings.in_sum(the_plan(house)) == snapshot
    assert report.left == ()


def test_the_entries_go_before_the_first_sale(snapshot: SnapshotAssertion) -> None:
    """OP-07, OP-05"""
    house = a_house_that_holds("AAA", "BBB")
    rests(house, "GGG", "HHH")
    before = len(house.requests())

    flattens(house)
    signs(house)
    runs_out(house)

    sent = [request for request in house.requests()[before:] if request.startswith(("cancel", "submit"))]
    assert sent[:2] == ["cancel", "cancel"]
    assert house.desk.ledger.positions() == ()
    assert not house.desk.ledger.working_entries()
    assert [words(house)[0], house.desk.plans.standings.in_sum(the_plan(house))] == snapshot


def test_an_unanswered_cancel_delays_no_sale(snapshot: SnapshotAssertion) -> None:
    """OP-07, EX-10"""
    house = a_house_that_holds("AAA")
    rests(house, "GGG")
    flattens(house)
    house.line.breaks_at(CancelOrder, arrives=False, times=1)
    signs(house)
    passes(house, 1)
    assert the_plan(house).phase is BasketPhase.TAKING_BACK

    house.line.breaks_at(CancelOrder, arrives=False, times=100)
    passes(house, 5)

    assert the_plan(house).phase is not BasketPhase.TAKING_BACK
    assert len(house.desk.ledger.working_entries()) == 1
    assert words(house) == snapshot


def test_the_report_names_entries_still_working(snapshot: SnapshotAssertion) -> None:
    """OP-07, EX-10"""
    house = a_floor()
    rests(house, "GGG", "HHH")
    flattens(house)
    house.line.breaks_at(CancelOrder, arrives=False, times=100)
    signs(house)
    passes(house, 6)

    report = runs_out(house)

    assert [*report.left, house.desk.plans.standings.in_sum(the_plan(house))] == snapshot


def test_the_report_names_an_entry_that_filled(snapshot: SnapshotAssertion) -> None:
    """OP-07, EX-02"""
    falling = [*minutes("09:30", "10:00", "100", symbol=GGG), *minutes("10:01", "10:30", "99.40", symbol=GGG)]
    house = House(falling, settings=SETTINGS, cash=Decimal(20_000), multiplier=Decimal(2)).opens().until("10:00")
    rests(house, "GGG")
    flattens(house)
    house.line.breaks_at(CancelOrder, arrives=False, times=100)
    house.until("10:00:58")
    signs(house)
    house.until("10:01:30")

    report = runs_out(house)

    assert house.held(GGG) == house.held_by_the_broker(GGG) == "10"
    assert report.left == ("GGG 10 held",)
    assert house.desk.plans.standings.in_sum(the_plan(house)) == snapshot


def test_an_unmarked_entry_stays_and_is_reported(snapshot: SnapshotAssertion) -> None:
    """OP-05"""
    house = a_house_that_holds("AAA")
    rests(house, "GGG", "HHH")
    flattens(house)
    spared = next(o for o in house.desk.ledger.working_entries() if o.request.symbol == "HHH")

    house.presses(MarkInBasket(the_plan(house).id, ProposalId(spared.id), False))
    view = ViewBuilder(house.engine).draw(house.line.at).plan
    assert view is not None
    signs(house)
    report = runs_out(house)

    assert spared.status is OrderStatus.SUBMITTED
    assert [*view.left, *report.left] == snapshot


def test_the_plan_names_an_unmarked_position() -> None:
    """OP-05"""
    house = a_house_that_holds("AAA", "BBB", quantity="50")
    flattens(house)
    line = next(line for line in the_plan(house).plan.lines if line.proposal.symbol == "BBB")
    house.presses(MarkInBasket(the_plan(house).id, line.proposal.id, False))

    view = ViewBuilder(house.engine).draw(house.line.at).plan

    assert view is not None
    assert view.left == ("50 BBB",)


def test_an_open_flattening_adds_up_on_new_figures() -> None:
    """OP-05: what it starts from and what it ends with are of one account reading"""
    house = a_house_that_holds("AAA", "BBB")
    flattens(house)
    pictures = ViewBuilder(house.engine)
    gains = []
    for more in (0, 5):
        account = house.desk.sightings.account
        house.desk.sightings.account = replace(account, buying_power=Money(account.buying_power + more))
        view = pictures.draw(house.line.at).plan
        assert view is not None
        assert view.power_now is not None
        gains.append(view.going[-1].power_after - view.power_now)

    assert gains[0] == gains[1]


def test_changed_entries_change_the_plans_digest() -> None:
    """OP-02"""
    house = a_floor()
    rests(house, "GGG", "HHH")
    flattens(house)
    view = ViewBuilder(house.engine).draw(house.line.at).plan
    assert view is not None
    first = house.desk.ledger.working_entries()[0]
    house.presses(RequestCancel(first.id))
    passes(house, 2)

    again = ViewBuilder(house.engine).draw(house.line.at).plan

    assert again is not None
    assert (view.digest != again.digest, len(again.taken_back)) == (True, 1)


def test_a_plan_of_a_file_takes_no_entry_back() -> None:
    """OP-05"""
    house = a_floor()
    rests(house, "GGG")
    opens(house, a_buy("HHH", "10"))
    marks(house)
    signs(house)
    runs_out(house)

    assert house.facts(BasketSigned)[-1].taken_back == ()
    assert house.facts(CancelRequested) == []


def test_a_flattening_lists_entries_left_by_a_kill() -> None:
    """OP-07, OP-08"""
    house = a_house_that_holds("AAA")
    rests(house, "GGG")
    house.line.breaks_at(CancelOrder, arrives=False, times=2)
    house.presses(Kill("command"))
    flattens(house)

    view = ViewBuilder(house.engine).draw(house.line.at).plan
    assert view is not None
    assert [row.symbol for row in view.taken_back] == ["GGG"]
    signs(house)
    runs_out(house)

    assert house.desk.ledger.positions() == ()
    assert not house.desk.ledger.working_entries()


def test_a_restart_goes_on_cancelling_entries() -> None:
    """EX-20, OP-07"""
    house = a_floor()
    rests(house, "GGG", "HHH")
    flattens(house)
    house.line.breaks_at(CancelOrder, arrives=False, times=2)
    signs(house)

    house = house.restarted()
    passes(house, 60)

    assert not house.desk.ledger.working_entries()


@pytest.mark.parametrize("ends", [True, False])
def test_an_add_without_a_position_is_shown_as_open(ends: bool) -> None:
    """OP-03: in Orders, on the kill screen and when leaving"""
    alone = {"self_cross": SETTINGS.risk.self_cross.model_copy(update={"enabled": False})}  # its close leaves it there
    settings = SETTINGS.model_copy(update={"risk": SETTINGS.risk.model_copy(update=alone)})
    house = a_house_that_holds("AAA", quantity="50", settings=settings)
    rests(house, "AAA")
    pictures = ViewBuilder(house.engine)
    (entry,) = house.desk.ledger.working_entries()
    add = entry.request.effect
    if ends:
        house.presses(ProposeFlattening())
        house.opens_ticket()
        passes(house, 1)
        house.confirms()
        passes(house, 5)

    view = pictures.draw(house.line.at)

    expected = Effect.OPEN if ends else Effect.ADD
    assert add is Effect.ADD
    assert [row.effect for row in view.orders if row.id == entry.id] == [expected]
    assert [row.effect for row in view.kill.entries_working] == [expected]


def test_an_unsigned_flattening_cancels_nothing() -> None:
    """OP-01"""
    house = a_floor()
    rests(house, "GGG")
    flattens(house)

    leaves(house)
    passes(house, 5)

    assert house.facts(CancelRequested) == []
    assert house.desk.plans.standings.of_entry(house.desk.ledger.working_entries()[0].id) is BasketOrderState.WORKING
    assert house.held_by_the_broker(Symbol("GGG")) == "0"
    assert Decimal(house.held(Symbol("GGG"))) == 0


@dataclass(frozen=True, slots=True)
class Hangs(Link):
    """No order of these symbols arrives."""

    symbols: tuple[str, ...] = ()

    def carry(self, effect: Request) -> Iterable[timedelta]:
        return () if isinstance(effect, SubmitOrder) and effect.order.symbol in self.symbols else (self.latency,)


def sold(house: House) -> list[str]:
    """The symbols of the sales that a flattening sent, in order."""
    orders = [fact.order for fact in house.facts(OrderCreated)]
    return [order.symbol for order in orders if order.effect.only_reduces and not order.type.is_stop]


@pytest.mark.parametrize("after", [0.0, 0.15, 0.35])
@pytest.mark.parametrize(
    "what", [Killed("key"), Halted(HaltCause.INVARIANT, "ValueError: of a strategy")], ids=["kill", "halt"]
)
def test_a_halt_or_kill_does_not_stop_a_flattening(what: Fact, after: float, snapshot: SnapshotAssertion) -> None:
    """OP-07, OP-05: each of its orders is confirmed, and all of it only reduces."""
    house = a_house_that_holds("AAA", "BBB", "CCC")
    flattens(house)
    signs(house)
    passes(house, after)
    if isinstance(what, Killed):
        house.presses(Kill("key"))
    else:
        house.desk.record(what)
    report = runs_out(house)

    assert house.desk.ledger.positions() == ()
    assert report.left == ()
    assert the_plan(house).end is BasketEnd.DONE
    assert [told for told in words(house) if "reduces" in told] == snapshot


def test_a_flattening_sells_after_a_kill() -> None:
    """OP-07"""
    house = a_house_that_holds("AAA", "BBB")
    rests(house, "GGG")
    flattens(house)
    house.line.breaks_at(CancelOrder, arrives=False, times=1)
    signs(house)
    passes(house, 1)
    assert the_plan(house).phase is BasketPhase.TAKING_BACK

    house.presses(Kill("key"))
    report = runs_out(house)

    assert (house.desk.ledger.positions(), house.desk.ledger.working_entries()) == ((), ())
    assert report.left == ()


def test_a_hung_sale_delays_no_other_symbol() -> None:
    """EX-22, EX-10: two requests of six hang; the four others are sold within a second or two."""
    house = a_house_that_holds("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
    flattens(house)
    house.line.link = Hangs(symbols=("AAA", "BBB"))
    signs(house)
    passes(house, 3)

    assert [house.held(Symbol(symbol)) for symbol in ("CCC", "DDD", "EEE", "FFF")] == ["0"] * 4
    assert sorted(sold(house)) == ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]
    house.line.link = Link()
    runs_out(house, 200)
