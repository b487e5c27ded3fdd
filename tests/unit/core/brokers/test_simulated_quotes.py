"""Limit orders meet the quote, and no bar gives more than had traded: what a limit pays, when, and how much of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.model.order import Side, TimeInForce
from tests.unit.core.brokers.trading_floor import Floor, a_bar, a_quote, at

FLAT = "100 100 100 100"


def a_floor(**rules: object) -> Floor:
    floor = Floor(multiplier=Decimal(4), **rules)
    floor.bars(a_bar("10:00", FLAT))
    return floor


# ── at the key ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("side", Side)
def test_a_limit_within_the_quote_takes_its_other_side(side: Side) -> None:
    """AN-04, EX-12: the quote is 99.99 to 100.01."""
    floor = a_floor()

    if side is Side.BUY:
        floor.buys("10:00:05", "10", "order", limit="100.50")
    else:
        floor.sells("10:00:05", "10", "order", limit="99.50")

    assert floor.fills("10:00:05", "order") == [("10", "100.01" if side is Side.BUY else "99.99")]


@pytest.mark.parametrize("side", Side)
def test_a_limit_in_the_middle_of_the_quote_waits(side: Side) -> None:
    """AN-04: the last price is its limit, and nobody sells, or buys, there."""
    floor = a_floor()
    floor.bars(a_bar("10:01", FLAT), a_bar("10:02", FLAT))

    if side is Side.BUY:
        floor.buys("10:02:05", "10", "order", limit="100.00")
    else:
        floor.sells("10:02:05", "10", "order", limit="100.00")

    assert floor.fills("10:02:59", "order") == []


def test_what_it_takes_slips_and_its_limit_is_the_most_that_it_pays() -> None:
    """AN-04"""
    floor = a_floor(slippage=Decimal("0.001"))

    floor.buys("10:00:05", "10", "far", limit="101.00")
    floor.buys("10:00:06", "10", "near", limit="100.05")

    assert floor.fills("10:00:10", "far") == [("10", "100.11")]
    assert floor.fills("10:00:10", "near") == [("10", "100.05")]


def test_a_recorded_ask_above_the_limit_makes_it_wait_whatever_traded_last() -> None:
    """AN-04, MD-05: the last price, 100, is below the limit, and the ask is not."""
    floor = a_floor()
    floor.exchange.take_quote(a_quote("10:00:01", "99.90", "100.30"))

    floor.buys("10:00:05", "10", "below", limit="100.20")
    floor.buys("10:00:05", "10", "at", limit="100.30")

    assert floor.fills("10:00:15", "below") == []
    assert floor.fills("10:00:15", "at") == [("10", "100.3")]


def test_a_recorded_quote_at_the_open_counts_for_the_open() -> None:
    """AN-04, MD-05: the bar opens at 100, and its ask was written down as 100.30."""
    floor = a_floor()
    floor.buys("10:00:05", "10", limit="99.98")

    floor.bars(a_bar("10:01", "99.90 99.95 99.90 99.90"))
    floor.exchange.take_quote(a_quote("10:01:00", "99.60", "100.30"))

    assert floor.fills("10:01:19", "buy") == []
    assert floor.fills("10:01:59", "buy") == [("10", "99.98")]


# ── resting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("low", "filled"), [("99.00", []), ("98.99", [("10", "99")])])
def test_a_limit_below_the_ask_is_filled_when_the_ask_comes_to_it(low: str, filled: list[tuple[str, str]]) -> None:
    """AN-04: to touch it is not enough, the other side must be there; it then gets its limit and nothing better."""
    floor = a_floor()
    floor.buys("10:00:05", "10", limit="99.00")

    floor.bars(a_bar("10:01", f"100 100 {low} 99.50"))

    assert floor.fills("10:01:59", "buy") == filled


def test_a_quote_that_comes_to_a_resting_limit_fills_it_at_its_limit() -> None:
    """AN-04, MD-05: no bar is needed, and it is not given more because the quote went further."""
    floor = a_floor()
    floor.buys("10:00:05", "10", limit="99.50")

    floor.exchange.take_quote(a_quote("10:00:30", "99.30", "99.40"))

    assert floor.exchange.next_at == at("10:00:30")
    assert floor.fills("10:00:30", "buy") == [("10", "99.5")]


def test_a_minute_that_opens_lower_than_the_one_before_ended_passed_the_limit_on_its_way() -> None:
    """AN-04: who waits at 99.50 is hit there, not at 98.70; after a pause the market opens at its own price."""
    floor, paused = a_floor(), a_floor()
    for each in (floor, paused):
        each.buys("10:00:05", "10", limit="99.50")

    floor.bars(a_bar("10:01", "98.70 101 98 100"))
    paused.bars(a_bar("10:02", "98.70 101 98 100"))

    assert floor.fills("10:01:00", "buy") == [("10", "99.5")]
    assert paused.fills("10:02:00", "buy") == [("10", "98.71")]


def test_a_limit_that_is_not_within_the_quote_is_no_ioc_order() -> None:
    """AN-04, EX-12"""
    floor = a_floor()

    floor.buys("10:00:05", "10", limit="100.00", time_in_force=TimeInForce.IOC)

    assert floor.updates() == ["buy new 10:00:05", "buy canceled 10:00:05"]


def test_a_stop_that_opens_below_a_recorded_quote_gets_no_more_than_that_quote() -> None:
    """AN-04, RK-02: the bid is written down as 97.50."""
    floor = a_floor()
    floor.buys("10:00:05", "10")
    floor.sells("10:00:06", "10", stop="99.50")

    floor.bars(a_bar("10:01", "98 100 97 99"))
    floor.exchange.take_quote(a_quote("10:01:00", "97.50", "98.20"))

    assert floor.fills("10:01:00", "sell") == [("10", "97.5")]


# ── how much ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_bar_gives_at_each_point_of_its_path_a_part_of_what_had_traded_by_then() -> None:
    """AN-04, EX-05: a tenth of 400 is 40 shares, and at :00 not one that trades at :59."""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=400))

    floor.buys("10:00:00", "100")

    shares = [
        [quantity for quantity, _ in floor.fills(f"10:00:{second}", "buy")] for second in ("00", "20", "40", "59")
    ]
    assert shares == [["10"], ["10", "10"], ["10", "10", "10"], ["10", "10", "10", "10"]]


def test_a_bar_of_a_day_does_not_give_its_whole_volume_at_the_open() -> None:
    """AN-04"""
    floor = Floor()
    day = at("16:00") - at("09:30")
    floor.exchange.begin_bar(a_bar("09:30", "100", volume=4_000), day)

    floor.buys("09:30:00", "400")

    assert floor.fills("11:00", "buy") == [("100", "100.01")]


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_told_how_many_executions_met_a_quote_that_nobody_recorded() -> None:
    """AN-04"""
    floor = a_floor()
    floor.exchange.take_quote(a_quote("10:00:01", "99.90", "100.10"))
    floor.buys("10:00:05", "10", "recorded")

    floor.bars(a_bar("10:01", FLAT))
    floor.buys("10:01:05", "10", "derived")

    assert (floor.exchange.tally.executions, floor.exchange.tally.at_derived_quotes) == (2, 1)
