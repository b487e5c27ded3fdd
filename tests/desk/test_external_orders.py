"""Orders and positions that are not this desk's, or of kinds that it never trades: on the screen as what they are."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from console.screens.desk_control import detaching_lines, leaving_lines
from core.model.values import Price, Quantity, Symbol
from core.views import ForeignRow, KillView, OtherOrderRow
from tests.desk.still_house import a_view, open_still
from tests.kit.rows import each
from widgets.kill import halted_lines, killed_lines
from widgets.lines import joined

SIZES = [(80, 24), (120, 40)]
BY_AMOUNT = OtherOrderRow("their-id", "BUY 25 USD SPY market day (by amount)", "new", True)
AN_OPTION = ForeignRow(Symbol("SPY261218C00700000"), "us_option", Quantity(Decimal(2)), Price(Decimal("3.15")))
NOTHING = KillView((), (), ())


async def test_an_external_order_is_shown_as_such() -> None:
    """MD-07, EX-09"""
    view = a_view(orders=(), others=(BY_AMOUNT,), kill=KillView((), (), (), (BY_AMOUNT,)))
    async with open_still(view, SIZES[0]) as house:
        await house.press("3")
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.sees("NOT OURS", "1 not this desk's", "BUY 25 USD SPY")

        await house.press("d")
        await house.until(lambda: "not this desk's order: cancel it" in house.footer())
        await house.press("enter")
        await house.until(lambda: house.shows("a kill takes it back: it could open"))


async def test_an_option_is_in_positions_as_what_it_is() -> None:
    """MD-07: with no price, no stop and no result of ours."""
    async with open_still(a_view(positions=(), foreign=(AN_OPTION,), kill=NOTHING), SIZES[0]) as house:
        await house.press("2")
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.sees("SPY261218C00700000: us_option", "1 of other kinds")

        await house.press("c")
        await house.until(lambda: "this desk does not trade it: close" in house.footer())
        await house.press("enter")
        await house.until(lambda: house.shows("us_option: this desk does not trade it"))


def test_the_kill_screen_names_external_orders(snapshot: SnapshotAssertion) -> None:
    """OP-07, MD-07"""
    view = a_view(kill=KillView((), (), (), (BY_AMOUNT,)), positions=())

    before = [joined(line) for line in halted_lines(view, 100, 10)]
    after = [joined(line) for line in killed_lines(view, 100, 10)]

    assert before == snapshot
    assert after == snapshot
    assert not any("No order works" in line for line in after)


def test_leaving_names_what_is_not_this_desks() -> None:
    """MD-07, SY-01: and does not say that nothing is held"""
    view = a_view(positions=(), orders=(), proposals=(), others=(BY_AMOUNT,), foreign=(AN_OPTION,))
    view = replace(view, kill=KillView((), (), (), (BY_AMOUNT,)))
    for lines in (leaving_lines(view), detaching_lines(view, answers=True)):
        said = " ".join(joined(line).strip() for line in lines)
        assert "1 order and 1 position of other kinds" in said
        assert "Nothing is held" not in said


UNREAD = OtherOrderRow("61e69015", "order 61e69015: qty is missing", "cannot be read", True, is_unread=True)


@each("width", [80, 120])
def test_unreadable_orders_count_as_entries(width: int) -> None:
    """OP-07: before the kill and after it."""
    view = a_view(kill=KillView((), (), (), unread=(UNREAD,)), positions=(), others=(UNREAD,))

    before = [joined(line) for line in halted_lines(view, width - 6, 10)]
    after = [joined(line) for line in killed_lines(view, width - 6, 10)]

    named = "MAY OPEN  order 61e69015: qty is missing, not this desk's"
    assert any(named in line for line in before)
    assert any(named in line for line in after)
    assert not any("K cancels" in line or "No order works" in line for line in (*before, *after))
    assert all(len(line) <= width for line in (*before, *after))


async def test_the_banner_of_a_killed_desk_names_it_too() -> None:
    """OP-07"""
    view = a_view(kill=KillView((), (), (), unread=(UNREAD,)), positions=(), others=(UNREAD,))
    killed = replace(view, status=replace(view.status, killed_by="key", killed_at=view.status.at))
    async with open_still(killed, SIZES[0]) as house:
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.sees("MAY OPEN, cancel it at the broker: order 61e69015: qty is missing")
