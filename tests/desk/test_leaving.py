"""The leave screen: what may fill without a stop while nobody is here is named, all of it, before it is confirmed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from console.screens.desk_control import detaching_lines, leaving_lines, left_in_words
from core.model.codes import HaltCause
from core.model.order import Effect, OrderStatus, Side, StopHolder
from core.model.values import Price, Quantity
from core.views import DeskView, HaltRow, KillView, OrderRow
from core.views.rows import RowMark
from tests.desk.still_house import a_position, a_view, an_order, open_still
from widgets import format as f
from widgets.lines import joined

SMALL = (80, 24)
SHARES = Quantity(Decimal("1.5"))


def with_entries(*entries: OrderRow) -> DeskView:
    view = a_view(orders=entries, positions=tuple(a_position(f"HELD{number}") for number in range(8)))
    return replace(view, kill=KillView(entries, (), ()))


def test_leaving_says_what_stays_at_the_broker() -> None:
    """SY-01: the prices, the orders beside them, and that the halt stays"""
    targets = (Price(Decimal("498.64")),)
    held = a_position(targets=targets, holder=StopHolder.BROKER, covered=SHARES, quantity=SHARES)
    sale = an_order(9, "IBM", side=Side.SELL, effect=Effect.REDUCE, limit_price=Price(Decimal(180)))
    status = {"halts": (HaltRow(HaltCause.KEY, "by key"),)}
    view = a_view(orders=(sale,), positions=(held,), status=status)
    view = replace(view, kill=KillView((), (), ()))
    for lines in (leaving_lines(view), detaching_lines(view, answers=True)):
        said = " ".join(joined(line) for line in lines)
        told = (f.price(held.stop_price), "498.64", "47 IBM limit 180.00", "HALTED")
        assert [words for words in told if words not in said] == []
    assert left_in_words(view, goes_on=True).split(";")[:2] == [
        "1 position and 1 working order stay at the broker",
        " HALTED",
    ]


def test_leaving_says_how_much_may_still_fill() -> None:
    """SY-01: of an order filled in part, being cancelled or in doubt; no exit is left out"""
    part = an_order(1, filled_quantity=Quantity(Decimal(20)), status=OrderStatus.PARTIALLY_FILLED)
    going = an_order(2, "IBM", marks=(RowMark.CANCELLING,))
    doubted = an_order(3, "KO", status=OrderStatus.PENDING, marks=(RowMark.IN_DOUBT,))
    target = Price(Decimal(180))
    sale = {"side": Side.SELL, "effect": Effect.REDUCE, "limit_price": target}
    sales = [an_order(10 + n, "F", strategy=f"s{n}", **sale) for n in range(9)]
    held = a_position("F", strategy="s0", targets=(target,), holder=StopHolder.BROKER, covered=SHARES, quantity=SHARES)
    view = a_view(orders=(part, going, doubted, *sales), positions=(held,))
    view = replace(view, kill=KillView((part, going, doubted), (), ()))
    for lines in (leaving_lines(view), detaching_lines(view, answers=True)):
        said = " ".join(joined(line).strip() for line in lines)
        told = ("open 27 SPY", "IBM limit 166.76 is being cancelled", "KO limit 166.76 is in doubt", "2 exits more")
        assert [words for words in told if words not in said] == []


async def test_leaving_names_every_entry() -> None:
    """EX-22, OP-06: and which have no stop"""
    holders = {
        StopHolder.BROKER: "May fill, and the stop is not sent while the desk is closed:",
        StopHolder.DESK: "May fill, and nobody keeps the stop while the desk is closed:",
    }
    bare = [an_order(n, f"SYM{n:02}", quantity=SHARES, stop_by_desk=StopHolder.BROKER) for n in range(15)]
    others = [an_order(40 + number, f"LEGS{number}") for number in range(9)]
    async with open_still(a_view(), SMALL) as house:
        for holder, words in holders.items():
            view = with_entries(an_order(quantity=SHARES, stop_by_desk=holder))
            await house.shows_next(orders=view.orders, positions=view.positions, kill=view.kill)
            await house.press("q")
            await house.sees(words, "  BUY to open 1.5 SPY limit 166.76", "Cancel first (d in Orders), or stay.")
            assert not house.shows("stays, and may fill")
            await house.press("escape")

        view = with_entries(*bare, *others)
        await house.shows_next(orders=view.orders, positions=view.positions, kill=view.kill)
        await house.press("q")
        await house.sees("y leave", *(row.symbol for row in bare))
        await house.sees("Cancel first (d in Orders), or stay.", "lines more")
