"""The strip of panes: at every width each of them is named, and what asks for somebody is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from syrupy.assertion import SnapshotAssertion

from console.panes import PANES
from core.model.order import OrderStatus
from core.views import SuspensionView
from tests.desk.still_house import a_position, a_protection, a_view, an_exit, an_order, open_still
from tests.kit.rows import each
from widgets.lines import joined
from widgets.pane import items_of, strip_line

NUMBERS = [(name, str(number % 10)) for number, name in enumerate(PANES, start=1)]


def strip(width: int, **parts: Any) -> str:
    view = a_view(positions=(a_position(),), **parts)
    return joined(strip_line(items_of(view, NUMBERS), ("proposals", "positions", "log"), "positions", width))


@each("width", [78, 100, 118, 198])
def test_every_pane_is_named_with_its_number(width: int) -> None:
    said = strip(width)

    assert len(said) <= width
    packed = said.replace(" ", "")
    assert all(f"{number}{name[:2].capitalize()}" in packed for name, number in NUMBERS)
    assert "[2Pos" in packed


@each("width", [78, 90, 100, 118, 198])
def test_counts_show_at_every_width(width: int) -> None:
    orders = tuple(an_order(n, status=OrderStatus.SUBMITTED) for n in range(34))
    many = {"proposals": tuple(an_exit(f"A{n}") for n in range(12)), "orders": orders}
    said = strip(width, **many).replace(" ", "")

    assert ["12!" in said, "1]" in said, "34" in said] == [True] * 3
    assert len(strip(width, **many)) <= width


def test_urgent_counts_come_first(snapshot: SnapshotAssertion) -> None:
    """OP-06"""
    trouble = {"proposals": (an_exit("AIG"),), "protections": (a_protection("Guard", "1", is_tripped=True),)}
    said = strip(92, **trouble)
    assert "1Pro 1!" in said
    assert "1 TRIPPED" in said
    assert "[2Pos 1]" in said

    least = strip(78, **trouble)
    assert len(least) <= 78
    assert least == snapshot
    assert least.endswith("0His")


@each(
    "words, count",
    [
        ((), "ok"),
        ((SuspensionView.FULL,), "1 FULL"),
        ((SuspensionView.CLOSED,), "CLOSED"),
        ((SuspensionView.CLOSED, SuspensionView.FULL, SuspensionView.FULL), "2 FULL"),
        ((SuspensionView.FULL, SuspensionView.TRIPPED), "1 TRIPPED"),
    ],
)
def test_protections_are_ok_only_while_none_is_shut(words: tuple[SuspensionView, ...], count: str) -> None:
    rows = (a_protection(), *(a_protection(f"Guard {n}", "1", is_tripped=True, word=w) for n, w in enumerate(words)))

    assert f"4 Protections {count}  " in strip(198, protections=rows)


def test_shown_panes_are_bold() -> None:
    view = replace(a_view(), proposals=())
    line = strip_line(items_of(view, NUMBERS), ("proposals", "log"), "log", 118)

    tones = {cell.text.strip("[]")[0]: cell.tone for cell in line if cell.text.strip()}
    assert tones["1"] == tones["6"] == "strong"
    assert tones["3"] == "muted"


async def test_the_strip_follows_focus() -> None:
    async with open_still(a_view(positions=(a_position(),)), (80, 24)) as house:
        for size in ((80, 24), (120, 40)):
            await house.pilot.resize_terminal(*size)
            await house.press("1")
            assert house.desk.board.strip.region.y == house.desk.board.status.region.bottom
            await house.sees("[1 Prop" if size[0] > 80 else "[1Pro 1]")
            await house.press("2")
            await house.sees("[2 Pos" if size[0] > 80 else "[2Pos 1]")
            await house.press("9", "z")
            await house.sees("[9 Chart]" if size[0] > 80 else "[9Cha]")
            await house.press("z", "8")
            await house.sees("[8 Watch" if size[0] > 80 else "[8Wat")
