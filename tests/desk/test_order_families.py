"""An order is one line with its legs under it; they count as one, and each that works is selected by itself."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from syrupy.assertion import SnapshotAssertion
from textual.app import App, ComposeResult

from console.screens.dialog import ArmedQuestion
from console.screens.reading import DetailScreen
from core.messages.commands import RequestCancel
from core.model.order import Effect, Leg, LegRole, OrderStatus, OrderType, Side
from core.model.values import ClientOrderId, Price, Quantity
from core.views import OrderRow, RowMark
from core.views.rows import families, working_orders
from tests.desk.still_house import StillHouse, a_view, an_order, open_still
from tests.kit.screen import text_of
from widgets.orders import LEGS, Orders
from widgets.pane import items_of

STOP, TARGET = Price(Decimal("166.26")), Price(Decimal("168.00"))
LEGS_OF_IT = (Leg(LegRole.STOP, stop_price=STOP), Leg(LegRole.TARGET, limit_price=TARGET))
HELD = (RowMark.HELD,)


class Alone(App[None]):
    """One pane, as wide as the terminal."""

    CSS = "Orders { border: round white; height: 1fr; } Grid { height: 1fr; } Lines { height: auto; }"

    def __init__(self, pane: Orders) -> None:
        super().__init__()
        self.pane = pane

    def compose(self) -> ComposeResult:
        yield self.pane


def an_entry(number: int = 1, **parts: Any) -> OrderRow:
    return an_order(number, **{"legs": LEGS_OF_IT, "is_entry": True, **parts})


def a_stop(number: int, of: OrderRow, **parts: Any) -> OrderRow:
    terms: dict[str, Any] = {
        "side": Side.SELL, "effect": Effect.CLOSE, "type": OrderType.STOP, "limit_price": None, "stop_price": STOP,
        "is_protective": True, "parent": of.id,
    }  # fmt: skip
    return an_order(number, **{**terms, **parts})


def a_target(number: int, of: OrderRow, **parts: Any) -> OrderRow:
    terms: dict[str, Any] = {
        "side": Side.SELL, "effect": Effect.CLOSE, "limit_price": TARGET, "is_paired": True, "parent": of.id,
    }  # fmt: skip
    return an_order(number, **{**terms, **parts})


def keys(house: StillHouse) -> list[str]:
    return [row.key for row in house.desk.board.orders.grid.window.rows]


def waiting() -> tuple[OrderRow, ...]:
    """As the broker tells of an entry: its legs are newer."""
    entry = an_entry()
    return a_target(3, entry, marks=HELD), a_stop(2, entry, marks=HELD), entry


def filled() -> tuple[OrderRow, ...]:
    entry = an_entry(status=OrderStatus.FILLED, filled_quantity=Quantity(Decimal(47)), ended_at=a_view().status.at)
    return a_target(3, entry), a_stop(2, entry), entry


async def test_no_key_acts_on_legs_sharing_a_line() -> None:
    """OP-04: a key is for the order of the selected row, and for no other"""
    async with open_still(a_view(orders=waiting()), (120, 40)) as house:
        await house.press("3", "down")
        for key in ("d", "e", "w", "W", "x"):
            house.desk.say("")
            await house.press(key)
            await house.until(lambda: "these wait for their entry: Enter gives each its row" in house.footer())
            assert len(house.desk.screen_stack) == 1
        assert house.handle.commands == []

        await house.press("enter")
        await house.until(lambda: keys(house) == ["order-1", f"{LEGS}order-1", "order-3", "order-2"])
        assert house.desk.board.orders.grid.selected == f"{LEGS}order-1"
        await house.press("down", "down", "d")
        await house.until(lambda: house.shows("Cancel this stop?", "SELL 47 SPY stop 166.26"))
        await house.press("escape", "up", "up", "enter")
        await house.until(lambda: keys(house) == ["order-1", f"{LEGS}order-1"])


async def test_a_working_stop_has_a_row_of_its_own() -> None:
    """OP-06"""
    async with open_still(a_view(orders=filled()), (120, 40)) as house:
        await house.press("3")
        assert keys(house) == ["order-1", "order-3", "order-2"]
        await house.sees("└ SELL target", "└ SELL stop", "2 working, 1 filled")
        await house.press("down", "down", "d")
        await house.until(lambda: isinstance(house.desk.screen, ArmedQuestion))
        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: house.handle.commands == [RequestCancel(ClientOrderId("order-2"))])


async def test_legs_that_wait_are_one_line_under_their_entry_and_count_with_it() -> None:
    """OP-04: what was typed for the legs that wait hits neither of those that work"""
    async with open_still(a_view(orders=(an_order(9, "IBM"), *waiting())), (120, 40)) as house:
        await house.press("3", "z")
        await house.sees("└ target 168.00 · stop 166.26 activate on fill", "2 working, 2 legs waiting")
        assert keys(house) == ["order-9", "order-1", f"{LEGS}order-1"]
        await house.press("z")
        await house.until(lambda: "3 Ord 2" in " ".join(house.picture().replace("[", "").replace("]", "").split()))

        await house.press("end")
        assert house.desk.board.orders.grid.selected == f"{LEGS}order-1"
        await house.shows_next(orders=filled())
        assert house.desk.board.orders.grid.selected is None
        await house.press("d")
        await house.until(lambda: "no row is selected" in house.footer())
        assert house.handle.commands == []

        await house.shows_next(orders=(an_entry(),))  # the broker has not told of its legs
        await house.press("home", "down", "enter")
        await house.until(lambda: isinstance(house.desk.screen, DetailScreen))
        await house.sees("BUY to open 47 SPY", "with it stop 166.26, with it target 168.00")


async def test_a_moved_stop_of_a_pair_waits_for_nothing() -> None:
    """OP-04"""
    pair = an_entry(effect=Effect.CLOSE, side=Side.SELL, limit_price=TARGET, legs=LEGS_OF_IT[:1])
    moved = a_stop(3, pair, stop_price=Price(Decimal("166.80")))
    orders = (moved, a_stop(2, pair, status=OrderStatus.CANCELLED), pair)
    async with open_still(a_view(orders=orders), (120, 40)) as house:
        await house.sees("2 working")
        assert keys(house) == ["order-1", "order-3", "order-2"]


def test_working_orders_come_first() -> None:
    over = an_entry(5, status=OrderStatus.CANCELLED)
    moved, stop = a_stop(2, filled()[-1], status=OrderStatus.CANCELLED), a_stop(3, filled()[-1])
    first, second = families((a_stop(6, over, status=OrderStatus.CANCELLED), over, stop, moved, filled()[-1]))
    assert (first.head.id, first.at_work, first.over, first.works) == ("order-1", (stop,), (moved,), True)
    assert (second.head.id, second.works) == ("order-5", False)


def test_a_stop_whose_entry_is_not_of_today_is_an_order_of_its_own() -> None:
    gone = an_order(7)
    rows = (a_stop(2, gone), a_target(3, gone))
    assert [family.head.id for family in families(rows)] == ["order-2", "order-3"]
    assert working_orders(rows) == 2


def test_the_strip_counts_what_works_at_the_broker() -> None:
    """OP-06: the first number of the pane's title; legs that wait, and an order that is to replace another, do not"""
    again = an_order(9, marks=(RowMark.TO_REPLACE,))
    over = replace(an_order(8), status=OrderStatus.CANCELLED)
    for orders, count in (((*waiting(), over, again), "1"), ((*filled(), over), "2"), ((over,), "")):
        (item,) = items_of(a_view(orders=orders), (("orders", "3"),))
        assert item.count == count


async def test_a_narrow_pane_names_the_key_for_the_rest(snapshot: SnapshotAssertion) -> None:
    marked = an_order(5, marks=(RowMark.CANCELLING,))
    part = an_order(
        6, status=OrderStatus.PARTIALLY_FILLED, filled_quantity=Quantity(Decimal(7)), average_price=Price(STOP)
    )
    view = a_view(orders=(marked, part, *waiting()[1:]))
    pane = Orders()
    async with Alone(pane).run_test(size=(54, 12)) as pilot:
        pane.show(view, view.status.at)
        await pilot.pause()
        picture = text_of(pilot.app)
        assert " ".join(picture.splitlines()[1].split()) == snapshot
        assert "cancelling" in picture
        assert "stop 166.26" in picture
        assert "PARTIALLY_FI" in picture
        pane.grid.select(part.id)
        await pilot.pause()
        assert text_of(pilot.app) == snapshot
