"""What the desk says of an order that acts before the open, and of a stop that does not (RK-20)."""

from __future__ import annotations

from syrupy.assertion import SnapshotAssertion

from core.views import DeskView
from core.views.builders.desk import ViewBuilder
from tests.kit.rows import each
from tests.scenarios.changes import passes
from tests.scenarios.house import House
from tests.scenarios.test_extended_hours import BUY, FRIDAY, a_house, a_sale, buys, types
from widgets.lines import joined
from widgets.positions import _row
from widgets.status_lines import _uncovered
from widgets.ticket_text import ticket_lines


def drawn(house: House) -> DeskView:
    return ViewBuilder(house.engine).draw(house.line.at)


def ticket_of(house: House, width: int = 74) -> str:
    house.opens_ticket()
    passes(house, 0.5)
    lines = [joined(line) for line in ticket_lines(drawn(house).tickets[0], house.line.at, width)]
    assert all(len(line) <= width for line in lines)
    return "\n".join(lines)


def test_an_extended_hours_ticket_warns(snapshot: SnapshotAssertion) -> None:
    """OP-03, OP-06, RK-20"""
    house = a_house().until("08:00", FRIDAY)
    types(house, BUY)

    text = " ".join(ticket_of(house).split())

    assert text == snapshot


def test_the_ticket_of_an_exit_says_when_it_acts(snapshot: SnapshotAssertion) -> None:
    """OP-03, RK-22"""
    house = a_house(policy="regular_only").until("10:05")
    buys(house)
    house.until("17:00")
    types(house, a_sale("99.90"))

    text = ticket_of(house)

    assert text == snapshot
    assert "nothing guards" not in text


def test_a_regular_ticket_has_no_such_words() -> None:
    """OP-03"""
    house = a_house().until("10:05")
    types(house, BUY)

    assert "hours " not in ticket_of(house)


@each("width", [118, 78, 60])
def test_a_resting_stop_is_no_guard(width: int) -> None:
    """OP-06, RK-20: up to the open; then the broker holds it."""
    house = a_house().until("08:00", FRIDAY)
    buys(house)

    early = drawn(house)
    house.until("09:31", FRIDAY)
    later = drawn(house)

    (line,) = [joined(line) for line in _uncovered(early, width)]
    says = "UNCOVERED SPY 0.2 until the open: its stop rests" if width > 65 else "UNCOVERED SPY 0.2: rests"
    assert line.startswith(says)
    assert line.endswith("   limits act now")
    assert len(line) <= width
    assert [cell.text for cell in _row(early.positions[0], early.status.at, 20, None, "", has_mark=False).cells][
        -1
    ] == "rests 0.2 !"
    assert _uncovered(later, width) == []
    assert [cell.text for cell in _row(later.positions[0], later.status.at, 20, None, "", has_mark=False).cells][
        -1
    ] == "broker 0.2"


def test_protections_name_the_orders_of_the_hours(snapshot: SnapshotAssertion) -> None:
    """RK-09, RK-20"""
    house = a_house().until("08:00", FRIDAY)
    shut = a_house(policy="regular_only").until("08:00", FRIDAY)

    (early,), (closed,) = ([row for row in drawn(one).protections if row.name == "Session"] for one in (house, shut))

    assert (early.is_tripped, early.measure) == snapshot
    assert (closed.is_tripped, closed.measure) == snapshot
