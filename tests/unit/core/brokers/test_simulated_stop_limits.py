"""A stop-limit in the bar that elects it: no bar elects by one extreme and fills by the other. Long and short."""

from __future__ import annotations

from core.model.order import OrderClass, OrderRequest, Side
from tests.kit.rows import table
from tests.unit.core.brokers.test_simulated_same_bar import both, told
from tests.unit.core.brokers.trading_floor import Floor, a_bar, a_quote, a_stop_leg, a_target_leg, an_order, at

BEFORE = a_bar("10:00", "100")
AS_TOLD = (False, True)


def filled(floors: list[Floor], name: str) -> list[list[tuple[str, str]]]:
    """Time and price of each execution, in the words of the story as it was told first."""
    return [
        [
            (moment[14:19], price)
            for moment, what, price in told(floor, is_mirrored=is_mirrored)
            if what.startswith(name)
        ]
        for floor, is_mirrored in zip(floors, AS_TOLD, strict=True)
    ]


def breaks_out(limit: str, quantity: str = "10") -> OrderRequest:
    return an_order("in", Side.BUY, quantity, stop="101.00", limit=limit)


@table("close fills", ("100.10", []), ("99.90", []), ("99.89", [("01:59", "99.90")]))
def test_an_entry_elected_by_a_bar_needs_its_close(close: str, fills: list[tuple[str, str]]) -> None:
    """AN-04, EX-12: the low of 98 may have come before 101 did; a close beyond the limit came behind it."""
    floors = both(BEFORE, a_bar("10:01", f"100 102 98 {close}"), orders={"10:00:30": breaks_out("99.90")})

    assert filled(floors, "in") == [fills, fills]
    assert [floor.exchange.tally.decided_by_the_path for floor in floors] == [1, 1]


@table("close fills", ("98.50", []), ("100.20", []), ("100.21", [("01:59", "100.20")]))
def test_an_exit_elected_by_a_bar_needs_its_close(close: str, fills: list[tuple[str, str]]) -> None:
    """AN-04, RK-02: it is elected at 99 on the way down; whether 102 was before that, the bar does not say."""
    orders = {
        "10:00:10": an_order("held", Side.BUY, "10"),
        "10:00:30": an_order("out", Side.SELL, "10", stop="99.00", limit="100.20"),
    }
    floors = both(BEFORE, a_bar("10:01", f"100 102 98 {close}"), orders=orders)

    assert filled(floors, "out") == [fills, fills]
    assert [floor.exchange.tally.decided_by_the_path for floor in floors] == [1, 1]


def test_a_triggered_stop_limit_rests_as_a_limit() -> None:
    """EX-12"""
    bars = (BEFORE, a_bar("10:01", "100 102 98 101.50"), a_bar("10:02", "101.50 102 99 101"))

    floors = both(*bars, orders={"10:00:30": breaks_out("99.90")})

    assert filled(floors, "in") == [[("02:20", "99.90")], [("02:20", "99.90")]]


def test_an_elected_stop_limit_in_reach_fills() -> None:
    """EX-12"""
    floors = both(BEFORE, a_bar("10:01", "100 102 98 101.50"), orders={"10:00:30": breaks_out("101.05")})

    assert filled(floors, "in") == [[("01:20", "101.01")], [("01:20", "101.01")]]
    assert [floor.exchange.tally.decided_by_the_path for floor in floors] == [0, 0]


def test_what_a_gap_elects_meets_the_whole_bar() -> None:
    """EX-12: the bar opens beyond the stop, and so all its prices come behind the election."""
    floors = both(BEFORE, a_bar("10:01", "101.20 102 98 101.50"), orders={"10:00:30": breaks_out("99.90")})

    assert filled(floors, "in") == [[("01:20", "99.90")], [("01:20", "99.90")]]
    assert [floor.exchange.tally.decided_by_the_path for floor in floors] == [0, 0]


def test_a_volume_rest_misses_the_other_extreme() -> None:
    """AN-04: the market goes on past 101.20; that it came back behind that, only the close can tell."""
    bars = (BEFORE, a_bar("10:01", "100 102 98 101.50", 1_000))

    floors = both(*bars, orders={"10:00:30": breaks_out("101.20", "80")})

    assert filled(floors, "in") == [[("01:20", "101.01")], [("01:20", "101.01")]]
    assert [floor.report("10:01:59", "in").filled_quantity for floor in floors] == [50, 50]
    assert [floor.exchange.tally.decided_by_the_path for floor in floors] == [1, 1]


def test_a_rest_never_left_behind_fills_at_the_worse_end() -> None:
    """EX-12: at 102.50 somebody always sold to it."""
    bars = (BEFORE, a_bar("10:01", "100 102 98 101.50", 1_000))

    floors = both(*bars, orders={"10:00:30": breaks_out("102.50", "80")})

    fills = [("01:20", "101.01"), ("01:40", "102.01"), ("01:59", "101.51")]
    assert filled(floors, "in") == [fills, fills]
    assert [floor.exchange.tally.decided_by_the_path for floor in floors] == [0, 0]


@table("close fills", ("101.90", [("01:59", "99.50")]), ("99.20", []))
def test_a_target_gets_no_better_end_of_that_bar(close: str, fills: list[tuple[str, str]]) -> None:
    """AN-04, EX-12: if the low came first the rebound passed 99.50 before it came to 101."""
    legs = (a_stop_leg("99.00", "99.50"), a_target_leg("101.00"))
    orders = {"10:00:30": an_order("in", Side.BUY, "10", order_class=OrderClass.BRACKET, legs=legs)}

    floors = both(BEFORE, a_bar("10:01", f"100 102 98 {close}"), orders=orders)

    assert filled(floors, "leg") == [fills, fills]
    assert [floor.exchange.tally.decided_by_the_path for floor in floors] == [1, 1]


def test_a_quote_after_election_fills_nothing() -> None:
    """AN-04, MD-04: the quote has a time of day, the extreme that elected has none."""
    floor = Floor()
    floor.bars(BEFORE)
    floor.buys("10:00:30", "10", "in", stop="101.00", limit="99.90")
    floor.bars(a_bar("10:01", "100 102 98 101.50"))

    floor.exchange.take_quote(a_quote("10:01:30", "99.00", "99.02"))
    floor.exchange.advance(at("10:01:59"))

    assert floor.fills("10:01:59", "in") == []


def test_each_missed_entry_counts_once() -> None:
    """AN-04"""
    bars = (BEFORE, a_bar("10:01", "100 102 98 100.10"), a_bar("10:02", "100 102 99.95 100.10"))
    more = an_order("again", Side.BUY, "10", stop="101.00", limit="99.97")

    floors = both(*bars, orders={"10:00:30": breaks_out("99.90"), "10:02:00": more})

    assert [floor.exchange.tally.decided_by_the_path for floor in floors] == [2, 2]
