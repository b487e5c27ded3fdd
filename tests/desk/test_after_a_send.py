"""After a send nothing that the operator looked at goes away: position, focus, selection, a working stop."""

from __future__ import annotations

from console.screens.ticket import TicketScreen
from core.facts import OrderCreated
from core.messages.commands import RequestCancel
from core.model.order import Effect, OrderStatus, OrderType, Side
from core.model.values import Price
from core.views import OrderRow
from tests.desk.desk_house import House, open_desk
from tests.desk.still_house import a_view, an_order, dollars, open_still
from tests.kit.stepped_engine import WiredHandle
from widgets.orders import NEW

ONE_COLUMN = [(80, 24), (100, 30)]


async def sends(house: House) -> None:
    await house.opens_the_ticket()
    await house.press("B")
    await house.until(lambda: house.facts(OrderCreated) and not isinstance(house.desk.screen, TicketScreen))


async def test_a_new_position_stays_above_orders() -> None:
    """DESK, the ticket: the focus stays where it was"""
    async with open_desk(ONE_COLUMN[0]) as house:
        await sends(house)
        for size in ONE_COLUMN:
            await house.pilot.resize_terminal(*size)
            await house.until(lambda: house.shows("2 Positions ─ 1 open", "broker 0.1"))
            assert not house.shows("3 Orders")
            assert house.desk.focused is house.desk.board.proposals.grid


async def test_a_new_order_is_marked_but_not_selected() -> None:
    """OP-04: a key that was meant for the row selected before hits no other"""
    async with open_desk(handled_by=WiredHandle) as house:
        await house.press("7")  # the pane of orders makes way, and comes back with an order
        assert not house.shows("3 Orders ─")
        await house.press("1")
        await house.buys()
        await house.until(lambda: house.shows("3 Orders ─ 1 working, 1 filled"))
        await house.press("3", "end")
        chosen = house.desk.board.orders.grid.selected
        await house.press("2", "c", "enter")
        await house.until(house.is_armed)
        await house.press("S")
        await house.until(lambda: "selects it in Orders" in house.footer())
        await house.until(lambda: any(f"{NEW}SELL to" in line for line in house.picture().splitlines()))
        assert house.desk.board.orders.grid.selected == chosen
        await house.press("3")
        assert house.desk.board.orders.grid.selected == house.desk.board.orders.new
        await house.press("2")

        marked = house.desk.following._marked
        assert marked is not None
        house.desk.following._marked = (marked[0], marked[1] - 60)
        await house.until(lambda: not any(f"{NEW}SELL to" in line for line in house.picture().splitlines()))


def a_stop(number: int, status: OrderStatus) -> OrderRow:
    return an_order(
        number, side=Side.SELL, effect=Effect.CLOSE, type=OrderType.STOP, limit_price=None,
        stop_price=Price(dollars("165") + number), is_protective=True, status=status,
        ended_at=a_view().status.at if status.is_terminal else None,
    )  # fmt: skip


async def test_a_working_stop_precedes_cancelled_legs() -> None:
    working = a_stop(1, OrderStatus.SUBMITTED)
    ended = [a_stop(number, OrderStatus.CANCELLED) for number in range(14, 1, -1)]
    async with open_still(a_view(orders=(*ended, working)), (80, 24)) as house:
        await house.press("3")
        await house.until(lambda: house.shows("SUBMITTED", "166.00"))


async def test_a_new_stop_scrolls_into_view() -> None:
    old = [a_stop(number, OrderStatus.CANCELLED) for number in range(30, 1, -1)]
    entry = an_order(31)
    async with open_still(a_view(orders=(entry, *old)), (120, 40)) as house:
        filled = an_order(31, status=OrderStatus.FILLED, ended_at=a_view().status.at)
        await house.shows_next(orders=(a_stop(1, OrderStatus.SUBMITTED), filled, *old))
        await house.until(lambda: house.shows("SUBMITTED", "166.00"))
        await house.press("3")
        chosen = house.desk.board.orders.grid.selected
        assert chosen == "order-31"
        await house.until(lambda: any("▸ BUY to open" in line for line in house.picture().splitlines()))


def replaced() -> tuple[OrderRow, OrderRow]:
    """An entry that was replaced, and the one in its place."""
    over = {"status": OrderStatus.CANCELLED, "ended_at": a_view().status.at, "outcome": "REPLACED by order-2"}
    return an_order(1, **over), an_order(2, limit_price=Price(dollars("166.00")))


async def test_d_on_a_replaced_order_names_what_works() -> None:
    """OP-04: it cancels nothing; the key of the pane then selects the order that works"""
    before, instead = replaced()
    async with open_still(a_view(orders=(instead, before)), (80, 24)) as house:
        await house.press("3", "end", "d")
        await house.until(lambda: "BUY 47 SPY limit 166.00 works" in house.footer())
        assert not house.handle.commands
        assert house.desk.board.orders.grid.selected == before.id
        await house.press("3")
        assert house.desk.board.orders.grid.selected == instead.id


async def test_d_right_behind_a_moved_selection_cancels_nothing() -> None:
    """OP-04: the row that the operator saw selected was another one"""
    chosen, sent = an_order(1), an_order(2)
    async with open_still(a_view(orders=(chosen,)), (120, 40)) as house:
        await house.press("3", "1")
        await house.shows_next(orders=(sent, chosen))
        house.desk.following.mark(sent.id)
        await house.press("3", "d")
        assert house.desk.board.orders.grid.selected == sent.id
        assert not house.handle.commands
        await house.wait(0.3)
        await house.press("d")
        assert house.handle.commands == [RequestCancel(sent.id)]


async def test_d_right_behind_a_hidden_pane_cancels_nothing() -> None:
    """OP-04: nobody saw which order is selected there"""
    async with open_still(a_view(orders=(an_order(1),)), (80, 24)) as house:
        await house.press("7")
        assert not house.desk.board.orders.display
        await house.press("3", "d")
        assert not house.handle.commands
        await house.wait(0.3)
        await house.press("d")
        assert house.handle.commands == [RequestCancel(an_order(1).id)]


async def test_a_selection_follows_its_replacement() -> None:
    """OP-04: while the pane is not in use"""
    before, instead = replaced()
    for pane, selected in (("1", instead.id), ("3", before.id)):
        async with open_still(a_view(orders=(an_order(1),)), (80, 24)) as house:
            await house.press("3", pane)
            await house.shows_next(orders=(instead, before))
            assert house.desk.board.orders.grid.selected == selected
