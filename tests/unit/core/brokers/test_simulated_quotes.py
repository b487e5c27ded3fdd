"""Limit orders meet the quote, and no bar gives more than had traded: what a limit pays, when, and how much of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.model.order import Side, TimeInForce
from tests.kit.rows import table
from tests.unit.core.brokers.stories import bar, buy, quote, sell, stories
from tests.unit.core.brokers.trading_floor import THURSDAY, Floor, a_bar, a_quote, an_order, at

FRIDAY = THURSDAY + timedelta(days=1)


def a_floor(**rules: object) -> Floor:
    floor = Floor(multiplier=Decimal(4), **rules)
    floor.bars(a_bar("10:00", "100"))
    return floor


HOUR = bar("10:00", "100")
GTC, IOC = {"time_in_force": TimeInForce.GTC}, {"time_in_force": TimeInForce.IOC}

STORIES = stories(
    {
        "a marketable limit takes the other side of the quote, 99.99 to 100.01": (
            HOUR, buy("10:00:05", limit="100.50"), sell("10:00:05", limit="99.50"),
            {"buy 10:00:05": "10@100.01", "sell 10:00:05": "10@99.99"},
        ),
        "a buy limit at the last price waits inside the spread": (
            HOUR, bar("10:01", "100"), bar("10:02", "100"), buy("10:02:05", limit="100.00"), {"buy 10:02:59": ""},
        ),
        "a sell limit at the last price waits inside the spread": (
            HOUR, bar("10:01", "100"), bar("10:02", "100"), sell("10:02:05", limit="100.00"), {"sell 10:02:59": ""},
        ),
        "a taken quote slips up to the limit": (
            HOUR, buy("10:00:05", name="far", limit="101.00"), buy("10:00:06", name="near", limit="100.05"),
            {"far 10:00:10": "10@100.12", "near 10:00:10": "10@100.05"}, {"slippage": Decimal("0.001")},
        ),
        "a recorded ask above the limit makes it wait, whatever traded last": (
            HOUR, quote("10:00:01", "99.90", "100.30"),
            buy("10:00:05", name="below", limit="100.19"), buy("10:00:05", name="at", limit="100.30"),
            {"below 10:00:15": "", "at 10:00:15": "10@100.3", "below 10:00:59": ""},
        ),
        "a recorded spread counts for its minute: trades bounce inside of it": (
            HOUR, bar("10:01", "99.96"), quote("10:01:00", "99.95", "100.05"), buy("10:01:05", limit="99.97"),
            bar("10:02", "100.04"), quote("10:02:00", "99.95", "100.05"), {"buy 10:02:59": ""},
        ),
        "a quote within the minute begins the rest of the path: at :20 the ask was 99.96, then 100.10": (
            HOUR, bar("10:01", "99.98 100.02 99.95 100"), quote("10:01:25", "99.95", "100.10"),
            buy("10:01:30", limit="100.00"), {"buy 10:01:59": ""},
        ),
        "a stop pays half of the last recorded spread, 99.40 to 100.60": (
            HOUR, buy("10:00:05"), sell("10:00:06", stop="99.50"),
            bar("10:01", "100 100 99 100"), quote("10:01:01", "99.40", "100.60"), {"sell 10:01:20": "10@98.9"},
        ),
        "a quote at the open counts for the open: its ask is 100.02": (
            HOUR, buy("10:00:05", limit="99.98"),
            bar("10:01", "99.90 99.95 99.90 99.90"), quote("10:01:00", "99.98", "100.02"),
            {"buy 10:01:19": "", "buy 10:01:59": "10@99.98"},
        ),
        "a limit that is only touched waits for the ask": (
            HOUR, buy("10:00:05", limit="99.00"), bar("10:01", "100 100 99.00 99.50"), {"buy 10:01:59": ""},
        ),
        "a limit that the ask comes to is filled at its limit": (
            HOUR, buy("10:00:05", limit="99.00"), bar("10:01", "100 100 98.99 99.50"), {"buy 10:01:59": "10@99"},
        ),
        "a limit passed before a lower open is filled at its limit": (
            HOUR, buy("10:00:05", limit="99.50", **GTC), bar("10:01", "98.70 101 98 100"), {"buy 10:01:00": "10@99.5"},
        ),
        "a limit passed where minutes are missing is filled at its limit too": (
            HOUR, buy("10:00:05", limit="99.50", **GTC), bar("10:03", "98.70 101 98 100"), {"buy 10:03:00": "10@99.5"},
        ),
        "a stop below a recorded bid gets no more than that bid": (
            HOUR, buy("10:00:05"), sell("10:00:06", stop="99.50"),
            bar("10:01", "98 100 97 99"), quote("10:01:00", "97.50", "98.20"), {"sell 10:01:00": "10@97.5"},
        ),
    }
)  # fmt: skip


@table("claim", *STORIES)
def test_each_limit_meets_the_quote_as_its_story_says(claim: str) -> None:
    """AN-04, EX-12, MD-05, RK-02"""
    story = replace(STORIES[claim], rules={"multiplier": Decimal(4), **STORIES[claim].rules})

    assert story.told() == story.fills


def test_a_new_day_opens_anew_for_a_passed_limit() -> None:
    """AN-04"""
    floor = a_floor()
    floor.buys("10:00:05", "10", limit="99.50", time_in_force=TimeInForce.GTC)

    floor.bars(a_bar("09:30", "98.70 101 98 100", day=FRIDAY))

    assert floor.fills("09:30:00", "buy", FRIDAY) == [("10", "98.71")]


def test_a_spread_of_the_day_before_is_forgotten() -> None:
    """MD-05"""
    floor = a_floor()
    floor.exchange.take_quote(a_quote("10:00:01", "99.00", "101.00"))

    floor.exchange.begin_bar(a_bar("09:30", "100", day=FRIDAY))
    floor.exchange.submit(at("09:30:05", FRIDAY), an_order("buy", Side.BUY, "10"))

    assert floor.fills("09:30:05", "buy", FRIDAY) == [("10", "100.01")]


def test_a_quote_reaching_a_resting_limit_fills_it() -> None:
    """AN-04, MD-05: no bar is needed, and it is not given more because the quote went further."""
    floor = a_floor()
    floor.buys("10:00:05", "10", limit="99.50")

    floor.exchange.take_quote(a_quote("10:00:30", "99.30", "99.40"))

    assert floor.exchange.next_at == at("10:00:30")
    assert floor.fills("10:00:30", "buy") == [("10", "99.5")]


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


def test_executions_on_derived_quotes_are_counted() -> None:
    """AN-04"""
    floor = a_floor()
    floor.exchange.take_quote(a_quote("10:00:01", "99.90", "100.10"))
    floor.buys("10:00:05", "10", "recorded")

    floor.bars(a_bar("10:01", "100"))
    floor.buys("10:01:05", "10", "derived")

    assert (floor.exchange.tally.executions, floor.exchange.tally.at_derived_quotes) == (2, 1)
