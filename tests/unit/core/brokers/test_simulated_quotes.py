"""Limit orders meet the quote, and no bar gives more than had traded: what a limit pays, when, and how much of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.model.order import Side, TimeInForce
from tests.unit.core.brokers.trading_floor import THURSDAY, Floor, a_bar, a_quote, an_order, at

FLAT = "100 100 100 100"
FRIDAY = THURSDAY + timedelta(days=1)


def a_floor(**rules: object) -> Floor:
    floor = Floor(multiplier=Decimal(4), **rules)
    floor.bars(a_bar("10:00", FLAT))
    return floor


# ── at the key ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("side", Side)
def test_a_marketable_limit_takes_the_quote(side: Side) -> None:
    """AN-04, EX-12: the quote is 99.99 to 100.01."""
    floor = a_floor()

    if side is Side.BUY:
        floor.buys("10:00:05", "10", "order", limit="100.50")
    else:
        floor.sells("10:00:05", "10", "order", limit="99.50")

    assert floor.fills("10:00:05", "order") == [("10", "100.01" if side is Side.BUY else "99.99")]


@pytest.mark.parametrize("side", Side)
def test_a_limit_inside_the_spread_waits(side: Side) -> None:
    """AN-04: the last price is its limit, and nobody sells, or buys, there."""
    floor = a_floor()
    floor.bars(a_bar("10:01", FLAT), a_bar("10:02", FLAT))

    if side is Side.BUY:
        floor.buys("10:02:05", "10", "order", limit="100.00")
    else:
        floor.sells("10:02:05", "10", "order", limit="100.00")

    assert floor.fills("10:02:59", "order") == []


def test_a_taken_quote_slips_up_to_the_limit() -> None:
    """AN-04"""
    floor = a_floor(slippage=Decimal("0.001"))

    floor.buys("10:00:05", "10", "far", limit="101.00")
    floor.buys("10:00:06", "10", "near", limit="100.05")

    assert floor.fills("10:00:10", "far") == [("10", "100.12")]
    assert floor.fills("10:00:10", "near") == [("10", "100.05")]


def test_a_recorded_ask_above_the_limit_makes_it_wait() -> None:
    """AN-04, MD-05: the last price, 100, is below the limit, and the ask is not."""
    floor = a_floor()
    floor.exchange.take_quote(a_quote("10:00:01", "99.90", "100.30"))

    floor.buys("10:00:05", "10", "below", limit="100.19")
    floor.buys("10:00:05", "10", "at", limit="100.30")

    assert floor.fills("10:00:15", "below") == []
    assert floor.fills("10:00:15", "at") == [("10", "100.3")]
    assert floor.fills("10:00:59", "below") == []


def test_a_recorded_spread_counts_for_its_minute() -> None:
    """AN-04, MD-05: trades bounce inside 99.95 to 100.05; neither side of the bounce is anybody's offer."""
    floor = a_floor()
    for clock, price in (("10:01", "99.96"), ("10:02", "100.04")):
        floor.bars(a_bar(clock, price))
        floor.exchange.take_quote(a_quote(f"{clock}:00", "99.95", "100.05"))
        if clock == "10:01":
            floor.buys("10:01:05", "10", limit="99.97")

    assert floor.fills("10:02:59", "buy") == []


def test_a_mid_minute_quote_starts_the_rest_of_path() -> None:
    """AN-04, MD-05: at :20 the ask was 99.96; the order came after an ask of 100.10."""
    floor = a_floor()
    floor.bars(a_bar("10:01", "99.98 100.02 99.95 100"))
    floor.exchange.take_quote(a_quote("10:01:25", "99.95", "100.10"))

    floor.buys("10:01:30", "10", limit="100.00")

    assert floor.fills("10:01:59", "buy") == []


def test_a_stop_pays_the_last_recorded_spread() -> None:
    """AN-04, RK-02: bid 99.40 and ask 100.60 were written down; at 99.50 a seller gets what is half of that below."""
    floor = a_floor()
    floor.buys("10:00:05", "10")
    floor.sells("10:00:06", "10", stop="99.50")

    floor.bars(a_bar("10:01", "100 100 99 100"))
    floor.exchange.take_quote(a_quote("10:01:01", "99.40", "100.60"))

    assert floor.fills("10:01:20", "sell") == [("10", "98.9")]


def test_a_spread_of_the_day_before_is_forgotten() -> None:
    """MD-05"""
    floor = a_floor()
    floor.exchange.take_quote(a_quote("10:00:01", "99.00", "101.00"))

    floor.exchange.begin_bar(a_bar("09:30", "100", day=FRIDAY))
    floor.exchange.submit(at("09:30:05", FRIDAY), an_order("buy", Side.BUY, "10"))

    assert floor.fills("09:30:05", "buy", FRIDAY) == [("10", "100.01")]


def test_a_quote_at_the_open_counts_for_the_open() -> None:
    """AN-04, MD-05: the bar opens at 100, and its ask was written down as 100.02."""
    floor = a_floor()
    floor.buys("10:00:05", "10", limit="99.98")

    floor.bars(a_bar("10:01", "99.90 99.95 99.90 99.90"))
    floor.exchange.take_quote(a_quote("10:01:00", "99.98", "100.02"))

    assert floor.fills("10:01:19", "buy") == []
    assert floor.fills("10:01:59", "buy") == [("10", "99.98")]


# ── resting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("low", "filled"), [("99.00", []), ("98.99", [("10", "99")])])
def test_a_limit_below_the_ask_waits_for_the_ask(low: str, filled: list[tuple[str, str]]) -> None:
    """AN-04: to touch it is not enough, the other side must be there; it then gets its limit and nothing better."""
    floor = a_floor()
    floor.buys("10:00:05", "10", limit="99.00")

    floor.bars(a_bar("10:01", f"100 100 {low} 99.50"))

    assert floor.fills("10:01:59", "buy") == filled


def test_a_quote_reaching_a_resting_limit_fills_it() -> None:
    """AN-04, MD-05: no bar is needed, and it is not given more because the quote went further."""
    floor = a_floor()
    floor.buys("10:00:05", "10", limit="99.50")

    floor.exchange.take_quote(a_quote("10:00:30", "99.30", "99.40"))

    assert floor.exchange.next_at == at("10:00:30")
    assert floor.fills("10:00:30", "buy") == [("10", "99.5")]


def test_a_lower_open_fills_a_passed_limit() -> None:
    """AN-04: who waits at 99.50 is hit there, not at 98.70, also where minutes are missing; a day opens anew."""
    floor, gapped, paused = a_floor(), a_floor(), a_floor()
    for each in (floor, gapped, paused):
        each.buys("10:00:05", "10", limit="99.50", time_in_force=TimeInForce.GTC)

    floor.bars(a_bar("10:01", "98.70 101 98 100"))
    gapped.bars(a_bar("10:03", "98.70 101 98 100"))
    paused.bars(a_bar("09:30", "98.70 101 98 100", day=FRIDAY))

    assert floor.fills("10:01:00", "buy") == [("10", "99.5")]
    assert gapped.fills("10:03:00", "buy") == [("10", "99.5")]
    assert paused.fills("09:30:00", "buy", FRIDAY) == [("10", "98.71")]


def test_a_hit_limits_rest_fills_at_its_limit() -> None:
    """AN-04: the bar had 40 shares at 99; the rest waited there, and the market came through it to 97."""
    floor = a_floor()
    floor.buys("10:00:05", "1000", limit="99.00")

    floor.bars(a_bar("10:01", "100 100 98 98.50", volume=400), a_bar("10:02", "97", volume=400))

    assert {price for _, price in floor.fills("10:02:59", "buy")} == {"99"}


def test_an_unmarketable_limit_cannot_be_ioc() -> None:
    """AN-04, EX-12"""
    floor = a_floor()

    floor.buys("10:00:05", "10", limit="100.00", time_in_force=TimeInForce.IOC)

    assert floor.updates() == ["buy new 10:00:05", "buy canceled 10:00:05"]


def test_a_stop_below_a_recorded_bid_gets_the_bid() -> None:
    """AN-04, RK-02: the bid is written down as 97.50."""
    floor = a_floor()
    floor.buys("10:00:05", "10")
    floor.sells("10:00:06", "10", stop="99.50")

    floor.bars(a_bar("10:01", "98 100 97 99"))
    floor.exchange.take_quote(a_quote("10:01:00", "97.50", "98.20"))

    assert floor.fills("10:01:00", "sell") == [("10", "97.5")]


# ── how much ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_volume_is_released_along_the_bars_path() -> None:
    """AN-04, EX-05: a tenth of 400 is 40 shares, and at :00 not one that trades at :59."""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=400))

    floor.buys("10:00:00", "100")

    shares = [
        [quantity for quantity, _ in floor.fills(f"10:00:{second}", "buy")] for second in ("00", "20", "40", "59")
    ]
    assert shares == [["10"], ["10", "10"], ["10", "10", "10"], ["10", "10", "10", "10"]]


def test_a_session_bar_spreads_its_volume() -> None:
    """AN-04"""
    floor = Floor()
    day = at("16:00") - at("09:30")
    floor.exchange.begin_bar(a_bar("09:30", "100", volume=4_000), day)

    floor.buys("09:30:00", "400")

    assert floor.fills("11:00", "buy") == [("100", "100.01")]


# ── what is said ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_executions_on_derived_quotes_are_counted() -> None:
    """AN-04"""
    floor = a_floor()
    floor.exchange.take_quote(a_quote("10:00:01", "99.90", "100.10"))
    floor.buys("10:00:05", "10", "recorded")

    floor.bars(a_bar("10:01", FLAT))
    floor.buys("10:01:05", "10", "derived")

    assert (floor.exchange.tally.executions, floor.exchange.tally.at_derived_quotes) == (2, 1)
