"""At which price, when and how much: orders of every type against bars whose walk is known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from core.model.broker import Accepted, Refused
from core.model.instrument import BrokerInstrument
from core.model.order import OrderStatus, TimeInForce
from tests.unit.core.brokers.trading_floor import IBM, SPY, Floor, a_bar, a_quote, at


def test_market_orders_pay_the_spread() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100 101 99 100.5"))

    floor.buys("10:00:05", "10")
    floor.sells("10:00:45", "10")

    assert floor.fills("10:00:50", "buy") == [("10", "100.01")]
    assert floor.fills("10:00:50", "sell") == [("10", "100.99")]


def test_an_answer_is_acceptance_and_a_fill_an_update() -> None:
    """EX-01"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))

    answer = floor.buys("10:00:05", "10")

    assert isinstance(answer, Accepted)
    assert (answer.report.raw_status, answer.report.broker_order_id) == ("new", "sim-000001")
    assert floor.updates() == ["buy new 10:00:05", "buy fill 10:00:05"]
    report = floor.report("10:00:06", "buy")
    assert (report.status, report.raw_status) == (OrderStatus.FILLED, "filled")
    assert [e.id for e in report.executions] == ["sim-000001-1"]


def test_slippage_worsens_both_sides() -> None:
    """AN-04"""
    floor = Floor(slippage=Decimal("0.001"))
    floor.bars(a_bar("10:00", "100"))

    floor.buys("10:00:05", "10")
    floor.sells("10:00:06", "10")

    assert floor.fills("10:00:10", "buy") == [("10", "100.12")]
    assert floor.fills("10:00:10", "sell") == [("10", "99.89")]


def test_a_recorded_quote_counts_until_a_later_price() -> None:
    """MD-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100 101 99 100.5"))
    floor.exchange.take_quote(a_quote("10:00:00", "99.90", "100.20"))

    floor.buys("10:00:05", "10", name="early")
    floor.buys("10:00:25", "10", name="late")

    assert floor.fills("10:00:30", "early") == [("10", "100.2")]
    assert floor.fills("10:00:30", "late") == [("10", "99.15")]  # the price is newer, its spread is the recorded one


def test_a_crossed_limit_fills_at_the_quote() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100 101 99 100.5"))

    floor.buys("10:00:00", "10", limit="100.50")

    assert floor.fills("10:00:00", "buy") == [("10", "100.01")]


def test_a_limit_passed_by_the_price_fills_at_limit() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100 101 99 100.5"))

    floor.buys("10:00:05", "10", limit="99.50")

    assert floor.fills("10:00:19", "buy") == []
    assert floor.fills("10:00:20", "buy") == [("10", "99.5")]
    assert floor.updates() == ["buy new 10:00:05", "buy fill 10:00:20"]


def test_a_limit_at_which_the_ask_arrives_fills() -> None:
    """EX-12: the low is a tick below it, and the ask a tick above the low."""
    floor = Floor()
    floor.bars(a_bar("10:00", "100 101 99 100.5"))

    floor.buys("10:00:05", "10", limit="99.01")

    assert floor.fills("10:00:20", "buy") == [("10", "99.01")]


def test_a_limit_gapped_after_a_pause_gets_the_ask() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "10", limit="99.50")

    floor.bars(a_bar("14:10", "98.70 101 98 100"))

    assert floor.fills("14:10:00", "buy") == [("10", "98.71")]


def test_a_stop_pays_half_a_spread_and_slippage() -> None:
    """EX-12"""
    floor = Floor(slippage=Decimal("0.001"))
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "10")
    floor.sells("10:00:06", "10", stop="99.50")

    floor.bars(a_bar("10:01", "100 101 99 100.5"))
    floor.exchange.take_quote(a_quote("10:01:00", "99.90", "100.10"))

    assert floor.fills("10:01:19", "sell") == []
    assert floor.fills("10:01:20", "sell") == [("10", "99.3")]  # 99.50 − 0.10 − 0.0994


def test_a_gapped_stop_fills_from_the_open() -> None:
    """ST-02, RK-02"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "10")
    floor.sells("10:00:06", "10", stop="99.50")

    floor.bars(a_bar("10:01", "98 100 97 99"))

    assert floor.fills("10:01:00", "sell") == [("10", "97.99")]


def test_a_crossed_stop_is_elected_at_once() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "10")

    floor.sells("10:00:06", "10", stop="100.50")

    assert floor.fills("10:00:06", "sell") == [("10", "99.99")]


def test_a_stop_fills_before_a_target_in_one_bar() -> None:
    """MD-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "20")
    floor.sells("10:00:06", "10", name="target", limit="101.00")
    floor.sells("10:00:07", "10", name="stop", stop="99.00")
    floor.updates()

    floor.bars(a_bar("10:01", "100 102 98 100"))
    floor.exchange.advance(at("10:01:59"))

    assert floor.updates() == ["stop fill 10:01:20", "target fill 10:01:40"]


def test_a_stop_takes_volume_before_a_target() -> None:
    """MD-05"""
    floor = Floor(multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "10", name="dip", limit="99.00")
    floor.buys("10:00:06", "10", name="owned")
    floor.sells("10:00:07", "10", name="stop", stop="99.00")
    floor.updates()

    floor.bars(a_bar("10:01", "100 102 98 100", volume=200))
    floor.exchange.advance(at("10:01:39"))

    assert floor.updates() == ["stop fill 10:01:20"]


def test_the_high_comes_first_when_we_are_short() -> None:
    """MD-05"""
    floor = Floor(multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100"))
    floor.sells("10:00:05", "10")
    floor.buys("10:00:06", "5", name="target", limit="99.00")
    floor.buys("10:00:07", "5", name="stop", stop="101.00")
    floor.updates()

    floor.bars(a_bar("10:01", "100 102 98 100"))
    floor.exchange.advance(at("10:01:59"))

    assert floor.updates() == ["stop fill 10:01:20", "target fill 10:01:40"]
    assert floor.fills("10:01:59", "stop") == [("5", "101.01")]


@pytest.mark.parametrize(("sold", "stopped"), [("10:00:05", "10:00:20"), ("10:00:25", "10:00:40")])
def test_a_short_turns_a_bar_before_its_first_extreme(sold: str, stopped: str) -> None:
    """MD-05, AN-04: what has been walked stays."""
    floor = Floor(multiplier=Decimal(2))
    floor.bars(a_bar("10:00", "100 102 98 100"))

    floor.sells(sold, "10")
    floor.buys("10:00:26" if sold > "10:00:20" else "10:00:06", "10", name="stop", stop="101.00")
    floor.exchange.advance(at("10:00:59"))

    assert floor.updates()[-1] == f"stop fill {stopped}"


def test_a_large_order_fills_across_bars() -> None:
    """EX-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=400))

    floor.buys("10:00:05", "100")
    floor.bars(a_bar("10:01", "101", volume=455))
    floor.exchange.advance(at("10:01:59"))
    floor.bars(a_bar("10:02", "102", volume=400))

    fills = floor.fills("10:02:30", "buy")
    assert [sum(int(q) for q, price in fills if price == paid) for paid in ("100.01", "101.01", "102.01")] == [
        40,
        45,
        15,
    ]
    assert floor.updates() == [
        "buy new 10:00:05",
        "buy partial_fill 10:00:05",
        *(f"buy partial_fill 10:00:{second}" for second in ("20", "40", "59")),
        *(f"buy partial_fill 10:01:{second}" for second in ("00", "20", "40", "59")),
        "buy partial_fill 10:02:00",
        "buy fill 10:02:20",
    ]


def test_our_orders_share_a_bars_volume() -> None:
    """EX-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=400))

    floor.buys("10:00:05", "30", name="first", limit="100.01")
    floor.buys("10:00:06", "30", name="second", limit="100.01")

    assert floor.fills("10:00:59", "first") == [("10", "100.01")] * 3
    assert floor.fills("10:00:59", "second") == [("10", "100.01")]


def test_a_thin_bar_gives_one_step() -> None:
    """EX-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=0))
    floor.buys("10:00:05", "5", limit="100.01")
    floor.bars(a_bar("10:01", "100", volume=3))

    assert floor.fills("10:01:19", "buy") == []  # not one share had traded yet
    assert floor.fills("10:01:59", "buy") == [("1", "100.01")]


def test_a_fractional_order_fills_in_steps() -> None:
    """EX-11"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=5))

    floor.buys("10:00:06", "0.725", limit="100.01")
    floor.bars(a_bar("10:01", "100", volume=5))

    assert floor.fills("10:01:20", "buy") == [("0.125", "100.01")] * 5 + [("0.1", "100.01")]


def test_without_a_bar_the_quote_size_fills() -> None:
    """EX-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))

    floor.buys("10:01:30", "150")

    assert floor.fills("10:01:59", "buy") == [("100", "100.01")]
    floor.exchange.take_quote(a_quote("10:06:30", "100.10", "100.30", size=20))
    assert floor.fills("10:07:00", "buy")[1:] == [("20", "100.3")]
    assert floor.fills("10:09:00", "buy")[2:] == [("20", "100.3"), ("10", "100.3")]


@pytest.mark.parametrize("limit", [None, "100.50"])
def test_a_price_of_long_ago_fills_nothing(limit: str | None) -> None:
    """AN-04: nothing has traded since 10:00; the next bar opens at 110, and that is what a buyer pays."""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))

    floor.buys("10:30:00", "10", limit=limit)
    floor.bars(a_bar("10:35", "110"))

    assert floor.fills("10:35:59", "buy") == ([] if limit else [("10", "110.01")])


def test_a_stop_beyond_a_stale_price_waits() -> None:
    """AN-04, RK-02: whether it is crossed is told by the bar that comes."""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "10")

    floor.sells("10:30:00", "10", stop="100.50")
    floor.bars(a_bar("10:35", "99"))

    assert floor.fills("10:34:59", "sell") == []
    assert floor.fills("10:35:00", "sell") == [("10", "98.99")]


def test_an_ioc_remainder_is_cancelled() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=400))

    floor.buys("10:00:05", "100", limit="100.01", time_in_force=TimeInForce.IOC)

    assert floor.updates() == ["buy new 10:00:05", "buy partial_fill 10:00:05", "buy canceled 10:00:05"]
    report = floor.report("10:00:06", "buy")
    assert (report.status, report.filled_quantity) == (OrderStatus.CANCELLED, 10)
    assert floor.exchange.next_at is None


def test_an_elected_stops_rest_fills_at_market() -> None:
    """EX-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "50")
    floor.sells("10:00:06", "50", stop="99.00")
    floor.bars(a_bar("10:01", "100 100 98 100", volume=300))
    floor.exchange.advance(at("10:01:59"))

    floor.bars(a_bar("10:02", "100.50", volume=300))

    fills = floor.fills("10:02:59", "sell")
    assert fills[:3] == [("15", "98.99"), ("7", "97.99"), ("8", "99.99")]
    assert fills[3:] == [("7", "100.49"), ("8", "100.49"), ("5", "100.49")]


def test_an_elected_stops_rest_misses_the_rebound() -> None:
    """AN-04: at 98.99 it was elected; the path that came back to 102 came from 97."""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "50")
    floor.sells("10:00:06", "50", stop="99.00")

    floor.bars(a_bar("10:01", "100 102 97 98", volume=400))

    assert floor.fills("10:01:59", "sell") == [("20", "98.99"), ("10", "96.99"), ("10", "97.99")]


def test_a_market_rest_gains_nothing_by_its_own_path() -> None:
    """AN-04: a part of it is held, so the low comes first; who buys there pays where the price came from."""
    floor = Floor(multiplier=Decimal(4))
    floor.bars(a_bar("10:00", "100 100.50 99.50 100", volume=4_000))

    floor.buys("10:00:00", "200")

    assert floor.fills("10:00:59", "buy") == [("100", "100.01"), ("100", "100.01")]


def test_a_stop_entrys_rest_misses_the_low() -> None:
    """AN-04"""
    floor = Floor(multiplier=Decimal(4))
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:05", "300", stop="101.00")

    floor.bars(a_bar("10:01", "100 102 98 101", volume=4_000))

    assert floor.fills("10:01:59", "buy") == [("200", "101.01"), ("100", "102.01")]


@pytest.mark.parametrize(("price", "paid", "got"), [("20", "20.02", "19.98"), ("100", "100.04", "99.97")])
def test_slippage_of_less_than_a_tick_costs_one(price: str, paid: str, got: str) -> None:
    """AN-04: two basis points of 20 dollars are less than half a cent, and nobody trades at a part of one."""
    floor = Floor(slippage=Decimal("0.0002"))
    floor.bars(a_bar("10:00", price))

    floor.buys("10:00:05", "10")
    floor.sells("10:00:06", "10")

    assert floor.fills("10:00:10", "buy") == [("10", paid)]
    assert floor.fills("10:00:10", "sell") == [("10", got)]


def test_sub_dollar_prices_tick_by_0_0001() -> None:
    """EX-11"""
    floor = Floor()
    floor.bars(a_bar("10:00", "0.5"))

    floor.buys("10:00:05", "10")

    assert floor.fills("10:00:06", "buy") == [("10", "0.5001")]


def test_walking_in_small_steps_changes_nothing() -> None:
    """MD-05"""
    stories = []
    for seconds in (1, 7, 60):
        floor = Floor()
        floor.bars(a_bar("10:00", "100"))
        floor.buys("10:00:05", "20", limit="99.00")
        floor.bars(a_bar("10:01", "100 101 98 100", volume=100))
        moment = at("10:01:00")
        while moment < at("10:02:00"):
            floor.exchange.advance(moment)
            moment += timedelta(seconds=seconds)
        floor.bars(a_bar("10:02", "98.50 99 98 99", volume=1000))
        floor.exchange.advance(at("10:03:00"))
        stories.append((floor.fills("10:03:00", "buy"), floor.updates()))

    assert stories[0][0] == [("5", "99"), ("2", "99"), ("13", "99")]
    assert stories[0] == stories[1] == stories[2]


def test_it_wakes_only_for_orders_in_reach() -> None:
    """EX-17"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    assert floor.exchange.next_at is None

    floor.buys("10:00:05", "10", limit="99.00")
    assert floor.exchange.next_at == at("16:00:00")
    floor.bars(a_bar("10:01", "100 101 99.50 100"))
    assert floor.exchange.next_at == at("16:00:00")
    floor.bars(a_bar("10:02", "100 101 98 100"))
    assert floor.exchange.next_at == at("10:02:20")

    floor.exchange.advance(at("10:02:20"))
    assert floor.exchange.next_at is None


def test_a_repeated_or_older_bar_changes_nothing() -> None:
    """MD-03"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"), a_bar("10:01", "101"), a_bar("10:01", "50"), a_bar("10:00", "60"))

    floor.buys("10:01:30", "1")
    assert floor.fills("10:01:30", "buy") == [("1", "101.01")]


def test_symbols_do_not_meet() -> None:
    """EX-08"""
    floor = Floor({SPY: BrokerInstrument(SPY), IBM: BrokerInstrument(IBM)})
    floor.bars(a_bar("10:00", "100"), a_bar("10:00", "180", symbol=IBM))
    floor.buys("10:00:05", "10", name="spy", limit="99.00")
    floor.buys("10:00:06", "10", name="ibm", limit="179.00", symbol=IBM)

    floor.bars(a_bar("10:01", "100 100 98 99"), a_bar("10:01", "180 180 178 179", symbol=IBM))
    floor.exchange.advance(at("10:01:59"))

    assert floor.fills("10:01:59", "spy") == [("10", "99")]
    assert floor.fills("10:01:59", "ibm") == [("10", "179")]


def test_a_quantity_below_the_step_is_refused() -> None:
    """EX-11"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))

    assert isinstance(floor.buys("10:00:05", "0.7255"), Refused)
