"""The session on the simulated exchange: what waits for the open, and what ends with the close."""

from __future__ import annotations

from datetime import date

from core.model.broker import Accepted, NotFound, Refused
from core.model.order import OrderStatus, Side, TimeInForce
from core.model.values import ClientOrderId
from tests.unit.core.brokers.trading_floor import Floor, a_bar, a_quote, an_order, at

FRIDAY = date(2026, 11, 20)
HALF_DAY = date(2026, 11, 27)


def test_a_day_order_expires_at_a_half_days_early_close() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("12:58", "100", day=HALF_DAY))
    floor.exchange.submit(at("12:58:30", HALF_DAY), an_order("buy", Side.BUY, "10", limit="90.00"))

    assert floor.exchange.next_at == at("13:00", HALF_DAY)
    assert floor.report("12:59:59", "buy", HALF_DAY).status is OrderStatus.SUBMITTED
    assert floor.report("13:00:00", "buy", HALF_DAY).status is OrderStatus.EXPIRED
    assert floor.updates() == ["buy new 12:58:30", "buy expired 13:00:00"]


def test_a_day_order_placed_after_the_close_belongs_to_the_next_session() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("15:59", "100"))
    floor.buys("16:00:00", "10", limit="99.00")

    assert floor.exchange.next_at == at("09:30", FRIDAY)
    assert floor.report("15:59:59", "buy", FRIDAY).status is OrderStatus.SUBMITTED
    assert floor.report("16:00:00", "buy", FRIDAY).status is OrderStatus.EXPIRED


def test_a_gtc_order_outlives_the_close() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("15:59", "100"))
    floor.buys("15:59:10", "10", limit="99.00", time_in_force=TimeInForce.GTC)
    floor.exchange.advance(at("20:00"))

    floor.bars(a_bar("09:30", "98.50", day=FRIDAY))

    assert floor.fills("09:30", "buy", FRIDAY) == [("10", "98.5")]


def test_nothing_fills_before_the_open_or_after_the_close() -> None:
    """RK-20"""
    floor = Floor()
    floor.bars(a_bar("09:00", "100"))
    floor.buys("09:00:05", "10", name="market")
    floor.buys("09:00:06", "10", name="limit", limit="99.50")

    floor.bars(a_bar("09:29", "98"))
    floor.exchange.advance(at("09:29:59"))
    assert floor.fills("09:29:59", "market") == floor.fills("09:29:59", "limit") == []

    floor.bars(a_bar("09:30", "99"))
    assert floor.fills("09:30", "market") == [("10", "99.01")]
    assert floor.fills("09:30", "limit") == [("10", "99")]


def test_a_market_order_waits_for_the_sessions_first_price_and_never_fills_at_yesterdays() -> None:
    """RK-17"""
    floor = Floor()
    floor.bars(a_bar("15:59", "100"))
    floor.buys("18:00", "10")

    assert floor.fills("09:33", "buy", FRIDAY) == []
    floor.bars(a_bar("09:34", "104", day=FRIDAY))
    assert floor.fills("09:34", "buy", FRIDAY) == [("10", "104.01")]


def test_an_ioc_order_outside_of_the_session_is_cancelled_at_once() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("15:59", "100"))

    floor.buys("16:30", "10", time_in_force=TimeInForce.IOC)

    assert floor.updates() == ["buy new 16:30:00", "buy canceled 16:30:00"]


def test_a_recorded_quote_lets_a_market_order_trade_before_the_first_bar() -> None:
    """MD-05"""
    floor = Floor()
    floor.exchange.take_quote(a_quote("09:30:00", "99.90", "100.10", size=10))

    floor.buys("09:30:10", "15")

    assert floor.fills("09:30:10", "buy") == [("10", "100.1")]
    assert floor.fills("09:31:00", "buy") == [("10", "100.1"), ("5", "100.1")]


def test_a_cancel_ends_what_is_left_and_a_second_one_is_refused() -> None:
    """EX-06, EX-07"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=400))
    floor.buys("10:00:05", "100", limit="100.00")

    first = floor.exchange.cancel(at("10:00:06"), ClientOrderId("buy"))
    second = floor.exchange.cancel(at("10:00:07"), ClientOrderId("buy"))

    assert isinstance(first, Accepted)
    assert (first.report.status, first.report.filled_quantity) == (OrderStatus.CANCELLED, 40)
    assert second == Refused(422, 42210000, 'order is already in "canceled" state')
    assert floor.exchange.cancel(at("10:00:08"), ClientOrderId("ghost")) == NotFound()
    assert floor.updates()[-1] == "buy canceled 10:00:06"


def test_a_fill_on_the_way_beats_a_cancel_that_comes_later() -> None:
    """EX-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100 100 98 100"))
    floor.buys("10:00:05", "10", limit="99.00")

    answer = floor.exchange.cancel(at("10:00:20"), ClientOrderId("buy"))

    assert answer == Refused(422, 42210000, 'order is already in "filled" state')


def test_the_list_of_orders_is_the_very_same_until_one_of_them_changes_or_leaves_it() -> None:
    """EX-09"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:10", "10", limit="99.00")
    first = floor.exchange.orders(at("10:00:20"))

    assert floor.exchange.orders(at("10:00:30")) is first

    floor.bars(a_bar("10:01", "98.50"))
    filled = floor.exchange.orders(at("10:01:30"))
    assert [report.status for report in filled] == [OrderStatus.FILLED]
    assert floor.exchange.orders(at("10:01", date(2026, 11, 26))) is filled
    assert floor.exchange.orders(at("10:01:01", date(2026, 11, 26))) == ()


def test_a_trailing_stop_that_moved_is_listed_where_it_stands() -> None:
    """EX-09, EX-12"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:10", "10")
    floor.exchange.submit(at("10:00:30"), an_order("trail", Side.SELL, "10", trail="1.00"))
    before = floor.exchange.orders(at("10:00:40"))[-1].stop_price

    floor.bars(a_bar("10:01", "101 103 101 103"))

    assert floor.exchange.orders(at("10:02"))[-1].stop_price != before
