"""Between the two ends of a line is room, and a whole line has one background, at every width from 80 to 200."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from textual.geometry import Region

from core.model.account import Mode
from core.views import DeskView
from tests.desk.desk_house import House
from tests.desk.still_house import a_position, a_view, an_exit, an_order, dollars, open_still
from tests.kit.rows import each
from tests.kit.screen import lines_of
from widgets.lines import Cell, joined, spread
from widgets.status_lines import account_lines, first_line

WIDTHS = range(78, 199)
AT = a_view().status.at
STATES: list[dict[str, Any]] = [
    {},
    {"equity": dollars("200"), "equity_at": AT - timedelta(seconds=30)},
    {"equity": dollars("1234567.89"), "day_change": dollars("-123456.78"), "day_fraction": Decimal("-0.0912")},
    {"equity": dollars("98765432.10"), "buying_power": dollars("197530864.20"), "unsettled": dollars("1234.50")},
    {"margin_distance": Decimal("0.031"), "is_margin_near": True, "unsettled": dollars("1234567.50")},
    {"mode": Mode.LIVE, "quote_at": AT - timedelta(minutes=30), "entries_refused": "halted (key): by key"},
    {"market_closes_at": None, "market_opens_at": AT + timedelta(hours=14), "account": "PA3XLONGER"},
    {"equity_at": AT - timedelta(hours=2), "at_risk": Decimal("0.123"), "risk_budget": Decimal("0.15")},
]


@each("status", STATES)
def test_status_words_never_touch(status: dict[str, Any]) -> None:
    """`200.00day`, `New Yorkdata`: two words that were parts of their own are apart"""
    view = a_view(status=status)
    for width in WIDTHS:
        for line in (first_line(view.status, AT, width), *account_lines(view.status, AT, width)):
            text = joined(line)
            assert not glued(line), f"{width}: {text}"
            assert len(text) <= width, f"{width}: {text}"
        assert re.search(r"\S {2,}(data|no data)", joined(first_line(view.status, AT, width))), width


def glued(line: tuple[Cell, ...]) -> list[str]:
    """Ends of one part against the beginning of the next, where both are letters, digits or signs."""
    parts = [cell.text for cell in line if cell.text]
    pairs = pairwise(parts)
    return [f"{a}|{b}" for a, b in pairs if re.search(r"[\w%…]$", a) and re.match(r"[\w+−]", b)]


@each("width", range(4, 60))
def test_both_ends_of_a_line_are_apart(width: int) -> None:
    left = (Cell(" B ", "strong"), Cell(" buy   e edit   x decline"))
    text = joined(spread(left, (Cell("armed"), Cell(" 0:59")), width))
    assert text.endswith(" armed 0:59")
    assert len(text) <= max(width, len(" armed 0:59"))


def shown(view: DeskView) -> Iterator[dict[str, Any]]:
    yield {}
    yield {"positions": (a_position(covered=dollars("0")),), "orders": (an_order(),)}
    yield {"proposals": (an_exit(),)}


async def test_a_status_line_has_one_background() -> None:
    view = a_view()
    killed = replace(view.status, killed_by="key", killed_at=AT)
    nothing: dict[str, Any] = {name: getattr(view, name) for name in ("positions", "orders", "proposals", "status")}
    async with open_still(view, (200, 40)) as house:
        for parts in (*shown(view), {"status": killed}):
            await house.shows_next(**{**nothing, **parts})
            for width in (200, 80):
                await house.pilot.resize_terminal(width, 40)
                await has_whole_lines(house, width)


async def has_whole_lines(house: House, width: int) -> None:
    strips = lines_of(house.desk)
    count = house.desk.board.status.outer_size.height
    wanted = house.desk.board.status.styles.background.rich_color
    for strip in [*strips[:count], strips[-1]]:
        assert sum(len(segment.text) for segment in strip) == width
        for segment in strip:
            style = segment.style
            assert style is not None
            assert style.bgcolor is not None, segment
            assert style.reverse or style.bgcolor.triplet == wanted.triplet, segment
    assert Region(0, 0, width, count) == house.desk.board.status.region
