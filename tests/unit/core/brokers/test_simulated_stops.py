"""Stop-limits and trailing stops at the simulated exchange, along the bar's walked path (EX-12)."""

from __future__ import annotations

from decimal import Decimal

from core.brokers.simulated.log import decoded, encoded, rebuild
from core.model.broker import Accepted, Refused
from core.model.codes import RefusalKind
from core.model.order import OrderClass, Side, TimeInForce
from tests.kit.rows import table
from tests.unit.core.brokers.test_simulated_same_bar import both
from tests.unit.core.brokers.trading_floor import Floor, a_bar, a_stop_leg, a_target_leg, an_order, at


def a_floor_with_shares(quantity: str = "10") -> Floor:
    """Ten shares bought at 100."""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"), a_bar("10:01", "100"))
    floor.buys("10:01:01", quantity)
    floor.updates()
    return floor


def test_a_triggered_stop_limit_respects_its_limit() -> None:
    """EX-12: the low touches 99.00 on its way from 100, and the bid there is above the limit."""
    floor = a_floor_with_shares()
    floor.sells("10:01:02", "10", stop="99.00", limit="98.90")

    floor.bars(a_bar("10:02", "100 100 98.00 98.00"))

    assert floor.fills("10:02:19", "sell") == []
    assert floor.fills("10:02:20", "sell") == [("10", "98.99")]


def test_a_gapped_stop_limit_rests_at_its_limit() -> None:
    """EX-12: triggered at 98.00, under its limit of 98.90; it sells when 98.90 is there again, and not before."""
    floor = a_floor_with_shares()
    floor.sells("10:01:02", "10", stop="99.00", limit="98.90")

    floor.bars(a_bar("10:02", "98 98.50 97.50 98.20"), a_bar("10:03", "98.20 99.50 98.10 99"))

    assert floor.fills("10:02:59", "sell") == []
    assert floor.fills("10:03:40", "sell") == [("10", "98.9")]


def test_an_untouched_stop_limit_waits() -> None:
    """EX-12: the market is above its limit all the time, and it waits for its stop."""
    floor = a_floor_with_shares()
    floor.sells("10:01:02", "10", stop="99.00", limit="98.90")

    floor.bars(a_bar("10:02", "100 102 99.50 101"))

    assert floor.fills("10:03", "sell") == []


def test_a_trailing_stop_keeps_its_distance() -> None:
    """EX-12: 1.00 behind a high of 103; on the way down from it 102 is touched."""
    floor = a_floor_with_shares()
    floor.sells("10:01:02", "10", trail="1.00")

    floor.bars(a_bar("10:02", "100 103 99.50 102.50"))

    assert floor.report("10:02:20", "sell").stop_price == Decimal("99.00")
    assert floor.report("10:02:59", "sell").stop_price == Decimal("102.00")
    floor.bars(a_bar("10:03", "102.50 102.50 101.50 101.50"))
    assert floor.fills("10:03:20", "sell") == [("10", "101.99")]


@table("low", "100.10", "101.50")
def test_a_trailing_stop_above_the_close_gets_it(low: str) -> None:
    """EX-12, AN-04: 102 behind the high of 103 is gone through, at some price that the bar does not tell."""
    for floor, price in zip(both_of_a_trail(f"101 103 {low} 101.60"), ("101.59", "98.41"), strict=True):
        assert floor.fills("10:02:59", "trail") == [("10", price)]
        assert floor.report("10:02:59", "trail").executions[0].at == at("10:02:59")
        assert floor.exchange.tally.decided_by_the_path == 0, "either order goes through it"


def test_the_open_moves_a_trailing_stop_first() -> None:
    """EX-12: 101 came first for certain, and the low of 99.90 behind it."""
    for floor, price in zip(both_of_a_trail("101 101.50 99.90 101.20"), ("99.99", "100.01"), strict=True):
        assert floor.fills("10:02:20", "trail") == [("10", price)]
        assert floor.exchange.tally.decided_by_the_path == 0


def test_an_unmet_trailing_entry_turns_no_bar() -> None:
    """AN-04"""
    legs = (a_stop_leg("99.00"), a_target_leg("101.00"))
    orders = {
        "10:00:10": an_order("held", Side.BUY, "10", order_class=OrderClass.BRACKET, legs=legs),
        "10:00:30": an_order("more", Side.BUY, "5000", trail="20"),
    }

    for floor in both(a_bar("10:00", "100"), a_bar("10:01", "100 102 98 101.90"), orders=orders):
        assert [report.filled_quantity for report in floor.report("10:01:59", "held").legs] in ([10, 0], [0, 10])
        assert floor.exchange.account(at("10:01:59")).equity < 10_000_000


def both_of_a_trail(prices: str) -> list[Floor]:
    """1.00 behind 100, long and short."""
    orders = {
        "10:00:10": an_order("held", Side.BUY, "10"),
        "10:01:02": an_order("trail", Side.SELL, "10", trail="1.00"),
    }
    return both(a_bar("10:00", "100"), a_bar("10:01", "100"), a_bar("10:02", prices), orders=orders)


def test_a_percent_trail_only_moves_up() -> None:
    """EX-12: 2 % behind 110 is 107.80, and stays there while the price falls towards it."""
    floor = a_floor_with_shares()
    floor.sells("10:01:02", "10", trail_fraction="0.02")

    floor.bars(a_bar("10:02", "100 110 99 109"), a_bar("10:03", "109 109 108 108.50"))

    assert floor.report("10:03:59", "sell").stop_price == Decimal("107.80")
    assert floor.fills("10:03:59", "sell") == []


def test_a_trailing_stop_survives_a_rebuild() -> None:
    """EX-20"""
    floor = a_floor_with_shares()
    floor.sells("10:01:02", "10", trail="1.00")
    market = [a_bar("10:00", "100"), a_bar("10:01", "100"), a_bar("10:02", "100 103 99.50 102.50")]
    floor.bars(market[-1])
    before = floor.report("10:02:59", "sell")

    again = Floor()
    rebuild(again.exchange, market, (), floor.notebook.records, at("10:02:59"))

    assert again.report("10:02:59", "sell") == before


def test_the_log_keeps_trails_and_stop_limits() -> None:
    """EX-20"""
    floor = a_floor_with_shares()
    floor.sells("10:01:02", "4", "trailing", trail_fraction="0.015")
    floor.sells("10:01:03", "4", "limited", stop="99.00", limit="98.90")

    for record in floor.notebook.records:
        assert encoded(decoded(record)) == record


def test_a_trailing_stop_needs_whole_shares() -> None:
    """EX-11, EX-12"""
    floor = a_floor_with_shares("10.5")

    two = floor.sells("10:01:02", "10", trail="1.00", trail_fraction="0.01")
    part = floor.sells("10:01:03", "0.5", trail="1.00")
    at_once = floor.sells("10:01:04", "10", trail="1.00", time_in_force=TimeInForce.IOC)
    whole = floor.sells("10:01:05", "10", trail="1.00")

    assert all(
        isinstance(answer, Refused) and answer.kind is RefusalKind.UNPROCESSABLE for answer in (two, part, at_once)
    )
    assert isinstance(whole, Accepted)
