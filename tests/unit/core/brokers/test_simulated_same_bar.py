"""No bar pays twice: what one bar may give to a position that it opened, long and short as mirror images."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.bar import Bar, Feed, Quote
from core.model.order import Leg, OrderClass, OrderRequest, OrderType, Side
from core.model.values import ClientOrderId, Price, Quantity
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, Floor, a_bar, a_stop_leg, a_target_leg, an_order, at

MIRROR = Decimal(200)
"""A price and its mirror image add up to this."""
LEGS = (a_stop_leg("95.00"), a_target_leg("101.00"))
LEGS_OF_AN_OCO = (a_stop_leg("99.00"),)
HELD = an_order("held", Side.BUY, "10")


def mirrored(price: Price) -> Price:
    return Price(MIRROR - price)


def mirrored_or_none(price: Price | None) -> Price | None:
    return None if price is None else mirrored(price)


def other_side(bar: Bar) -> Bar:
    return replace(
        bar, open=Price(MIRROR - bar.open), high=Price(MIRROR - bar.low), low=Price(MIRROR - bar.high),
        close=Price(MIRROR - bar.close),
    )  # fmt: skip


def other_way(order: OrderRequest) -> OrderRequest:
    legs = tuple(
        Leg(leg.role, mirrored_or_none(leg.stop_price), mirrored_or_none(leg.limit_price)) for leg in order.legs
    )
    return replace(
        order, side=order.side.opposite, limit_price=mirrored_or_none(order.limit_price),
        stop_price=mirrored_or_none(order.stop_price), legs=legs,
    )  # fmt: skip


AS_TOLD_AND_MIRRORED: tuple[tuple[Callable[[Bar], Bar], Callable[[OrderRequest], OrderRequest]], ...] = (
    (lambda bar: bar, lambda order: order),
    (other_side, other_way),
)


def in_order(bars: Sequence[Bar], orders: Mapping[str, OrderRequest]) -> list[tuple[datetime, Bar | OrderRequest]]:
    """Bars as they begin and orders by their time; at equal times a bar first."""
    told: list[tuple[datetime, Bar | OrderRequest]] = [(bar.start, bar) for bar in bars]
    told += [(at(clock), order) for clock, order in orders.items()]
    return sorted(told, key=lambda each: (each[0], not isinstance(each[1], Bar)))


def both(*bars: Bar, orders: dict[str, OrderRequest]) -> list[Floor]:
    """The same story as it is told, and mirrored. Orders by their time; the first bar is there before them."""
    floors = []
    for bar_of, order_of in AS_TOLD_AND_MIRRORED:
        floor = Floor(multiplier=Decimal(4), cash=Decimal(10_000_000))
        for moment, happening in in_order(bars, orders):
            if isinstance(happening, Bar):
                floor.exchange.begin_bar(bar_of(happening))
            else:
                floor.exchange.submit(moment, order_of(happening))
        floor.exchange.advance(bars[-1].start + timedelta(seconds=59))
        floors.append(floor)
    return floors


def told(floor: Floor, *, is_mirrored: bool = False) -> list[tuple[str, str, str]]:
    """Every execution as id, quantity and price, in the words of the story as it was told first."""
    found = []
    for report in floor.exchange.orders(at("10:30")):
        for each in report.executions:
            price = mirrored(each.price) if is_mirrored else each.price
            found.append((each.at.isoformat(), f"{report.client_order_id} {each.quantity}", f"{price:.2f}"))
    return sorted(found)


def entry(limit: str = "99.00", legs: tuple[Leg, ...] = LEGS) -> OrderRequest:
    return an_order("entry", Side.BUY, "10", limit=limit, order_class=OrderClass.BRACKET, legs=legs)


# ── the bar of the entry ─────────────────────────────────────────────────────────────────────────────────────────────


TARGET, STOP = an_order("target", Side.SELL, "10", limit="101.00"), an_order("stop", Side.SELL, "10", stop="99.00")
TRAIL = an_order("trail", Side.SELL, "10", trail="1.00")
BREAKOUT = an_order("entry", Side.BUY, "10", stop="101.00")
RISES, EVEN = "100 102 98 101.50", "100 102 98 100"


def bracket(target: str) -> OrderRequest:
    legs = (a_stop_leg("99.00"), a_target_leg(target))
    return an_order("entry", Side.BUY, "10", order_class=OrderClass.BRACKET, legs=legs)


def dip(limit: str, name: str = "entry", quantity: str = "10") -> OrderRequest:
    return an_order(name, Side.BUY, quantity, limit=limit)


Row = tuple[tuple[str, ...], dict[str, OrderRequest], list[str], int | None]
STORIES: dict[str, Row] = {
    "a target waits past the bar that filled its limit entry: which of low and high came first it does not say": (
        (EVEN,), {"10:00:30": entry()}, ["99.00"], 1),
    "a close at the target does not fill it": (("100 102 98 101.00",), {"10:00:30": entry()}, ["99.00"], 1),
    "a close a tick beyond the target fills it": (
        ("100 102 98 101.01",), {"10:00:30": entry()}, ["99.00", "101.00"], 0),
    "a close far beyond the target fills it at its limit": (
        ("100 102 98 101.90",), {"10:00:30": entry()}, ["99.00", "101.00"], 0),
    "the next bar fills the target that waited": (
        (EVEN, "100 101.50 100 101"), {"10:00:30": entry()}, ["99.00", "101.00"], 1),
    "a stop below the entry is hit on the way down at its own price": (
        ("100 102 98 101.90",), {"10:00:30": entry(legs=(a_stop_leg("98.50"), a_target_leg("101.00")))},
        ["99.00", "98.49"], 0),
    "a target sent after the fill waits for the next bar as a leg does": (
        (EVEN,), {"10:00:30": dip("99.00"), "10:01:25": TARGET}, ["99.00"], 1),
    "shares held before the bar are sold at their target in it": (
        (EVEN,), {"10:00:10": HELD, "10:00:20": TARGET, "10:00:30": dip("99.00", "more", "5")},
        ["100.01", "99.00", "101.00"], None),
    "a trailing stop is not lifted by a high that may have come before its entry": (
        ("100 105 95 95.50",), {"10:00:30": dip("96.00"), "10:01:25": TRAIL}, ["96.00"], 1),
    "a stop and a target inside one bar: the stop is filled, and counted": (
        ("100 102 98 101.90",), {"10:00:30": bracket("101.00")}, ["100.01", "98.99"], 1),
    "a stop alone in a bar is decided by nothing": (
        ("100 102 98 101.90",), {"10:00:30": bracket("105.00")}, ["100.01", "98.99"], 0),
    "a stop entry is elected by the extreme that comes first, and stopped by the other": (
        (RISES,), {"10:00:30": BREAKOUT, "10:01:25": STOP}, ["101.01", "98.99"], 1),
    "one held share turns no path to the good side of a larger entry": (
        (RISES,),
        {"10:00:10": an_order("held", Side.BUY, "1"), "10:00:30": BREAKOUT,
         "10:01:25": an_order("stop", Side.SELL, "11", stop="99.00")},
        ["100.01", "101.01", "98.99"], 1),
    "a stop-limit entry is counted as one by a stop is": (
        (RISES,), {"10:00:30": an_order("entry", Side.BUY, "10", stop="101.00", limit="101.50"), "10:01:25": STOP},
        ["101.01", "98.99"], 1),
    "a target whose price had come and gone before the entry is decided by nothing": (
        ("100 102 98 99.50",), {"10:01:45": dip("100.50"), "10:01:50": TARGET}, ["98.01"], 0),
    "who sells late in a bar that a larger entry turned is counted": (
        (RISES,),
        {"10:00:05": an_order("held", Side.BUY, "20"), "10:00:30": an_order("entry", Side.BUY, "1000", stop="101.00"),
         "10:01:30": an_order("out", Side.SELL, "20")},
        ["100.01", "101.01", "101.99"], 1),
}  # fmt: skip
"""By claim: the bars after one at 100, the orders, the price of each execution, and how many the path decided."""


@table("claim", *STORIES)
def test_one_bar_fills_as_its_story_says(claim: str) -> None:
    """AN-04, MD-05, RK-02"""
    prices, orders, filled, decided = STORIES[claim]
    bars = [a_bar(f"10:{minute:02}", text) for minute, text in enumerate(("100", *prices))]

    for floor, is_mirrored in zip(both(*bars, orders=orders), (False, True), strict=True):
        assert [price for *_, price in told(floor, is_mirrored=is_mirrored)] == filled
        assert decided is None or floor.exchange.tally.decided_by_the_path == decided


def test_a_limit_at_the_bid_sells_in_the_entry_minute() -> None:
    """AN-04, EX-12: a limit within the quote takes it; only what waits for a better price waits for the close."""
    orders = {
        "10:00:05": an_order("entry", Side.BUY, "10", limit="100.50"),
        "10:00:10": an_order("out", Side.SELL, "10", limit="99.90"),
    }

    for floor, price in zip(both(a_bar("10:00", "100"), orders=orders), ("99.99", "100.01"), strict=True):
        assert floor.fills("10:00:10", "out") == [("10", price)]


def test_a_trailing_stop_follows_its_entry_bars_close() -> None:
    """AN-04, EX-12: the price was there last, whatever came first."""
    orders = {
        "10:00:30": an_order("entry", Side.BUY, "10", limit="96.00"),
        "10:01:25": an_order("trail", Side.SELL, "10", trail="1.00"),
    }
    bars = (a_bar("10:00", "100"), a_bar("10:01", "100 105 95 104.50"))

    for floor, stands in zip(both(*bars, orders=orders), ("103.50", "96.50"), strict=True):
        assert floor.report("10:01:59", "trail").stop_price == Decimal(stands)
        assert floor.exchange.tally.decided_by_the_path == 0


# ── the order of high and low ────────────────────────────────────────────────────────────────────────────────────────


@table("shares", "10", "1000")
def test_each_order_meets_its_worse_extreme_first(shares: str) -> None:
    """AN-04: a stop that sells, and a limit that buys, the low; a stop that buys, the high. Whatever is larger."""
    orders = {
        "10:00:10": an_order("held", Side.BUY, "100"),
        "10:00:20": an_order("stop", Side.SELL, "50", stop="99.00"),
        "10:00:25": an_order("target", Side.SELL, "50", limit="101.50"),
        "10:00:30": an_order("entry", Side.BUY, shares, stop="101.00"),
        "10:00:35": an_order("dip", Side.BUY, "10", limit="98.50"),
    }
    bars = (a_bar("10:00", "100"), a_bar("10:01", "100 102 98 101.40"))

    for floor in both(*bars, orders=orders):
        firsts = {name: floor.report("10:01:59", name).executions[0].at for name in ("stop", "target", "entry", "dip")}
        assert {name: f"{first:%S}" for name, first in firsts.items()} == {
            "stop": "20",
            "target": "40",
            "entry": "20",
            "dip": "20",
        }


DECOYS = {
    "a limit out of reach": an_order("decoy", Side.BUY, "1000", stop="100.50", limit="80.00"),
    "a limit of which one tick is missing": an_order("decoy", Side.BUY, "1000", stop="100.50", limit="100.50"),
    "more than the bar can give": an_order("decoy", Side.BUY, "40000", stop="101.90"),
    "a larger one that fills": an_order("decoy", Side.BUY, "1000", stop="101.90"),
}


@table("decoy", *DECOYS.values())
@table("volume", 100_000, 400)
def test_no_other_order_puts_target_before_stop(decoy: OrderRequest, volume: int) -> None:
    """AN-04: sold at its stop as if it stood alone, and counted; what the bar may have filled beside it, too."""
    alone = {
        "10:00:05": an_order("held", Side.BUY, "10"),
        "10:00:10": an_order("exit", Side.SELL, "10", limit="101.00", order_class=OrderClass.OCO, legs=LEGS_OF_AN_OCO),
    }
    bars = (a_bar("10:00", "100"), a_bar("10:01", "100 102 98 101.50", volume=volume))

    may_have_filled = decoy is DECOYS["a limit of which one tick is missing"]
    for orders, decided in ((alone, 1), (alone | {"10:00:30": decoy}, 1 + may_have_filled)):
        for floor, is_mirrored in zip(both(*bars, orders=orders), (False, True), strict=True):
            sold = [price for _, name, price in told(floor, is_mirrored=is_mirrored) if name.startswith("leg")]
            assert sold == ["98.99"]
            assert floor.fills("10:01:59", "exit") == []
            assert floor.exchange.tally.decided_by_the_path == decided


@table("held", "0", "10")
@table("decoy", "a limit out of reach", "a limit of which one tick is missing")
def test_an_unfillable_order_turns_no_quote(decoy: str, held: str) -> None:
    """AN-04, MD-05: who comes after the first extreme finds what he would find without it."""
    shown = []
    for orders in ({}, {"10:00:30": DECOYS[decoy]}):
        held_before = {"10:00:05": an_order("held", Side.BUY, held)} if held != "0" else {}
        late = {"10:01:30": an_order("late", Side.BUY, "10")}
        story = both(
            a_bar("10:00", "100"), a_bar("10:01", "100 102 98 101.50"), orders={**held_before, **orders, **late}
        )
        shown.append([floor.fills("10:01:59", "late") for floor in story])

    assert shown[0] == shown[1] == [[("10", "98.01")], [("10", "101.99")]]


def test_a_huge_order_turns_quotes_by_one_bars_volume() -> None:
    """AN-04, MD-05: of 40,000 shares ten can be bought; twenty are held."""
    orders = {
        "10:00:05": an_order("held", Side.BUY, "20"),
        "10:00:30": an_order("decoy", Side.BUY, "40000", stop="101.00"),
    }
    bars = (a_bar("10:00", "100"), a_bar("10:01", "100 102 98 101.50", volume=100))

    for floor, low in zip(both(*bars, orders=orders), (98, 102), strict=True):
        shown = floor.exchange.quote(at("10:01:30"), SPY)
        assert isinstance(shown, Quote)
        assert shown.mid == low


@table("order", "low-high", "high-low")
def test_an_unheld_bar_is_walked_by_its_shape(order: str) -> None:
    """AN-04: a bar that rises went down first and one that falls went up first: no side has it better."""
    floor = Floor()
    floor.bars(a_bar("10:00", "100 102 98 101" if order == "low-high" else "100 102 98 99"))

    quotes = [floor.exchange.quote(at(f"10:00:{second}"), SPY) for second in ("20", "40")]

    assert [q.mid for q in quotes if isinstance(q, Quote) and q.feed is Feed.DERIVED] == (
        [98, 102] if order == "low-high" else [102, 98]
    )


def test_a_symmetric_bar_hurts_the_first_order() -> None:
    """AN-04: as much would be bought by a limit as by a stop; what came first decides, and mirrored it is mirrored."""
    orders = {
        "10:00:10": an_order("first", Side.BUY, "10", stop="101.00"),
        "10:00:20": an_order("second", Side.BUY, "10", limit="99.00"),
        "10:01:25": an_order("late", Side.BUY, "10"),
    }
    bars = (a_bar("10:00", "100"), a_bar("10:01", "100 102 98 100"))

    for floor, price in zip(both(*bars, orders=orders), ("102.01", "97.99"), strict=True):
        assert floor.fills("10:01:59", "late") == [("10", price)]


# ── mirror images ────────────────────────────────────────────────────────────────────────────────────────────────────

MOMENTS = [f"10:{minute:02}:{second:02}" for minute in range(5) for second in (1, 5, 12, 20, 25, 41, 59)]
Story = tuple[list[Bar], dict[str, OrderRequest]]


def cents(chance: Random) -> Price:
    return Price(Decimal(chance.randint(9_700, 10_300)) / 100)


def some_bars(chance: Random) -> list[Bar]:
    found = []
    for minute in range(5):
        low, first, second, high = sorted(cents(chance) for _ in range(4))
        open_, close = chance.sample((first, second), 2)
        volume = Quantity(Decimal(chance.choice((40, 455, 100_000))))
        found.append(Bar(SPY, at(f"10:0{minute}"), open_, high, low, close, volume))
    return found


def some_orders(chance: Random) -> dict[str, OrderRequest]:
    found = {}
    for clock in sorted(chance.sample(MOMENTS, chance.randint(1, 8))):
        price, quantity = str(cents(chance)), chance.choice(("1", "7", "60"))
        terms = chance.choice(
            ({}, {"limit": price}, {"stop": price}, {"trail": "1.00"}, {"stop": price, "limit": str(cents(chance))})
        )
        order = an_order(f"order-{clock}", chance.choice(list(Side)), quantity, **terms)
        if order.type in (OrderType.LIMIT, OrderType.MARKET) and chance.random() < 0.5:
            low, high = map(str, sorted((cents(chance), cents(chance))))
            stop, target = (low, high) if order.side is Side.BUY else (high, low)
            legs = (a_stop_leg(stop), a_target_leg(target))
            order = replace(order, order_class=OrderClass.BRACKET, legs=legs)
        found[clock] = order
    return found


def a_story(chance: Random) -> Story:
    """A bar that is its own mirror image has no other way round, but by an order that stands there."""
    bars, orders = some_bars(chance), some_orders(chance)
    if any(bar.open == bar.close and bar.open - bar.low == bar.high - bar.open for bar in bars):
        side = chance.choice(list(Side))
        orders["10:00:00"] = an_order("stands", side, "1", limit="50.00" if side is Side.BUY else "150.00")
    return bars, orders


stories = st.randoms(use_true_random=True).map(a_story)


@settings(max_examples=20)
@given(story=stories)
def test_long_and_short_are_mirror_images(story: Story) -> None:
    """AN-04: mirrored prices and sides come to mirrored executions, at the same times, and to the same count."""
    bars, orders = story
    one, other = both(*bars, orders=orders)

    assert told(one) == told(other, is_mirrored=True)
    assert one.exchange.tally == other.exchange.tally


@settings(max_examples=20)
@given(story=stories, clock=st.sampled_from(MOMENTS), near=st.randoms(use_true_random=True).map(cents))
def test_an_unfillable_order_changes_no_fill(story: Story, clock: str, near: Price) -> None:
    """AN-04: whatever it stands beside, whenever it comes. Out of reach is its limit, and that of what stood first."""
    bars, orders = story
    exit_ = an_order("exit", Side.SELL, "60", limit="101.00", order_class=OrderClass.OCO, legs=LEGS_OF_AN_OCO)
    stands = {
        "10:00:00": an_order("stands", Side.BUY, "1", limit="50.00"),
        "10:00:00.200": an_order("held", Side.BUY, "60"),
        "10:00:02": replace(exit_, client_order_id=ClientOrderId("exit-1")),
        "10:01:02": replace(exit_, client_order_id=ClientOrderId("exit-2")),
    }
    decoy = {f"{clock}.500": an_order("decoy", Side.BUY, "20000", stop=str(near), limit="1.00")}
    alone, beside = (both(*bars, orders=stands | orders | more) for more in ({}, decoy))

    for one, other in zip(alone, beside, strict=True):
        assert without_names_of_legs(one) == without_names_of_legs(other)


def without_names_of_legs(floor: Floor) -> list[tuple[str, str, str]]:
    """They are numbered after every order that came before."""
    return sorted((moment, re.sub(r"leg-sim-\d+", "leg", name), price) for moment, name, price in told(floor))


@settings(max_examples=20)
@given(story=stories, often=st.booleans())
def test_who_looks_changes_nothing(story: Story, often: bool) -> None:
    """MD-05: the path follows from what is held and works, never from who asked for a price, and when."""
    bars, orders = story
    ends = []
    for looks in (False, True):
        floor = Floor(multiplier=Decimal(4), cash=Decimal(10_000_000))
        for moment, happening in in_order(bars, orders):
            if isinstance(happening, Bar):
                floor.exchange.begin_bar(happening)
            else:
                if looks:
                    floor.exchange.quote(moment, SPY)
                    floor.exchange.account(moment)
                floor.exchange.submit(moment, happening)
            if looks and often:
                floor.exchange.advance(moment + timedelta(seconds=0))
        floor.exchange.advance(at("10:06"))
        ends.append((told(floor), floor.exchange.tally))

    assert ends[0] == ends[1]
