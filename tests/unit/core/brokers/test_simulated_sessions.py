"""The session on the simulated exchange: what waits for the open, and what ends with the close."""

from __future__ import annotations

from datetime import date

from syrupy.assertion import SnapshotAssertion

from core.brokers.simulated.exchange import rebuild
from core.model.broker import Accepted, NotFound, Refused
from core.model.codes import RefusalKind
from core.model.order import OrderClass, OrderStatus, Side, TimeInForce
from core.model.values import ClientOrderId
from tests.kit.rows import cases, table
from tests.unit.core.brokers.trading_floor import THURSDAY, Floor, a_bar, a_quote, a_stop_leg, an_order, at

FRIDAY = date(2026, 11, 20)
HALF_DAY = date(2026, 11, 27)


def test_a_day_order_expires_at_an_early_close() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("12:58", "100", day=HALF_DAY))
    floor.exchange.submit(at("12:58:30", HALF_DAY), an_order("buy", Side.BUY, "10", limit="90.00"))

    assert floor.exchange.next_at == at("13:00", HALF_DAY)
    assert floor.report("12:59:59", "buy", HALF_DAY).status is OrderStatus.SUBMITTED
    assert floor.report("13:00:00", "buy", HALF_DAY).status is OrderStatus.EXPIRED
    assert floor.updates() == ["buy new 12:58:30", "buy expired 13:00:00"]


def test_a_late_day_order_joins_the_next_session() -> None:
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

    assert floor.fills("09:30", "buy", FRIDAY) == [("10", "98.51")]


def test_nothing_fills_outside_the_session() -> None:
    """RK-20"""
    floor = Floor()
    floor.bars(a_bar("09:00", "100"))
    floor.buys("09:00:05", "10", name="market")
    floor.buys("09:00:06", "10", name="limit", limit="99.50")

    floor.bars(a_bar("09:28", "98"))
    floor.exchange.advance(at("09:29:59"))
    assert floor.fills("09:29:59", "market") == floor.fills("09:29:59", "limit") == []

    floor.bars(a_bar("09:30", "99"))
    assert floor.fills("09:30", "market") == [("10", "99.01")]
    assert floor.fills("09:30", "limit") == [("10", "99.01")]


def test_an_extended_limit_fills_at_the_quote() -> None:
    """RK-20: at the quote's other side, and as much as is quoted there in a minute."""
    floor = Floor()
    floor.exchange.take_quote(a_quote("08:00:00", "99.90", "100.10", size=10))

    floor.buys("08:00:05", "15", limit="100.20", extended_hours=True)
    floor.buys("08:00:06", "5", name="below", limit="100.00", extended_hours=True)
    floor.buys("08:00:07", "5", name="regular", limit="100.20")

    assert floor.fills("08:00:10", "buy") == [("10", "100.1")]
    assert floor.fills("08:01:00", "buy") == [("10", "100.1"), ("5", "100.1")]
    assert floor.fills("09:29:59", "below") == floor.fills("09:29:59", "regular") == []


def test_an_extended_bar_fills_no_stop() -> None:
    """RK-20"""
    floor = Floor()
    floor.bars(a_bar("15:59", "100"))
    floor.buys("15:59:30", "10", name="held")
    floor.sells("16:00:01", "10", name="stop", stop="99.50")
    floor.buys("16:00:02", "10", limit="99.00", extended_hours=True)

    floor.bars(a_bar("17:30", "99.20 99.20 98.90 99.10"))

    assert floor.fills("17:31", "buy") == [("10", "99")]
    assert floor.report("19:59:59", "stop").status is OrderStatus.SUBMITTED


@table("day clock ends", (THURSDAY, "10:00", "20:00"), (THURSDAY, "17:00", "20:00"), (HALF_DAY, "08:00", "17:00"))
def test_an_extended_day_order_lasts_extended_hours(day: date, clock: str, ends: str) -> None:
    """RK-20, EX-12"""
    floor = Floor()
    floor.bars(a_bar("04:00", "100", day=day))
    floor.exchange.submit(at(clock, day), an_order("buy", Side.BUY, "10", limit="90.00", extended_hours=True))
    last = f"{int(ends[:2]) - 1}:59:59"

    assert floor.report(last, "buy", day).status is OrderStatus.SUBMITTED
    assert floor.report(ends, "buy", day).status is OrderStatus.EXPIRED


def test_a_night_order_begins_in_extended_hours() -> None:
    """RK-20: not at the open."""
    floor = Floor()
    floor.bars(a_bar("15:59", "100"))
    floor.buys("21:00", "10", limit="101.00", extended_hours=True)

    assert floor.exchange.next_at == at("04:00", FRIDAY)
    assert floor.fills("03:59:59", "buy", FRIDAY) == []
    assert floor.fills("04:00", "buy", FRIDAY) == []  # nobody offers yesterday's close
    floor.exchange.begin_bar(a_bar("04:10", "100", day=FRIDAY))
    assert floor.fills("04:10", "buy", FRIDAY) == [("10", "100.01")]


def test_a_marked_order_also_acts_in_the_session() -> None:
    """RK-20"""
    floor = Floor()
    floor.bars(a_bar("15:59", "100"))
    floor.exchange.submit(at("08:00", FRIDAY), an_order("buy", Side.BUY, "10", limit="99.00", extended_hours=True))

    floor.bars(a_bar("10:00", "98.50", day=FRIDAY))

    assert floor.fills("10:00", "buy", FRIDAY) == [("10", "98.51")]


@cases(
    "terms",
    {},
    {"stop": "101.00"},
    {"stop": "101.00", "limit": "101.10"},
    {"limit": "100.00", "time_in_force": TimeInForce.IOC},
    {"limit": "100.00", "order_class": OrderClass.OTO, "legs": (a_stop_leg("99.00"),)},
)
def test_only_simple_limits_trade_extended_hours(terms: dict[str, object], snapshot: SnapshotAssertion) -> None:
    """RK-20, EX-11: in Alpaca's words."""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))

    answer = floor.buys("10:00:05", "10", extended_hours=True, **terms)

    assert answer == Refused(RefusalKind.UNPROCESSABLE, snapshot)


def test_a_rebuilt_exchange_keeps_extended_orders() -> None:
    """SP-03, RK-20"""
    floor = Floor()
    floor.bars(bar := a_bar("15:59", "100"))
    floor.buys("16:30", "10", limit="99.00", extended_hours=True)
    again = Floor()

    rebuild(again.exchange, [bar], [], floor.notebook.records, at("17:00"))

    assert again.report("17:00", "buy") == floor.report("17:00", "buy")
    assert again.report("17:00", "buy").extended_hours is True


def test_a_market_order_waits_for_the_first_price() -> None:
    """RK-17"""
    floor = Floor()
    floor.bars(a_bar("15:59", "100"))
    floor.buys("18:00", "10")

    assert floor.fills("09:33", "buy", FRIDAY) == []
    floor.bars(a_bar("09:34", "104", day=FRIDAY))
    assert floor.fills("09:34", "buy", FRIDAY) == [("10", "104.01")]


def test_an_ioc_order_off_session_is_cancelled() -> None:
    """EX-12"""
    floor = Floor()
    floor.bars(a_bar("15:59", "100"))

    floor.buys("16:30", "10", time_in_force=TimeInForce.IOC)

    assert floor.updates() == ["buy new 16:30:00", "buy canceled 16:30:00"]


def test_a_quote_fills_a_market_order_before_a_bar() -> None:
    """MD-05"""
    floor = Floor()
    floor.exchange.take_quote(a_quote("09:30:00", "99.90", "100.10", size=10))

    floor.buys("09:30:10", "15")

    assert floor.fills("09:30:10", "buy") == [("10", "100.1")]
    assert floor.fills("09:31:00", "buy") == [("10", "100.1"), ("5", "100.1")]


def test_a_second_cancel_is_refused(snapshot: SnapshotAssertion) -> None:
    """EX-06, EX-07"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100", volume=400))
    floor.buys("10:00:05", "100", limit="100.01")

    first = floor.exchange.cancel(at("10:00:06"), ClientOrderId("buy"))
    second = floor.exchange.cancel(at("10:00:07"), ClientOrderId("buy"))

    assert isinstance(first, Accepted)
    assert (first.report.status, first.report.filled_quantity) == (OrderStatus.CANCELLED, 10)
    assert second == Refused(RefusalKind.NOT_WORKING, snapshot)
    assert floor.exchange.cancel(at("10:00:08"), ClientOrderId("ghost")) == NotFound()
    assert floor.updates()[-1] == "buy canceled 10:00:06"


def test_an_earlier_fill_beats_a_cancel(snapshot: SnapshotAssertion) -> None:
    """EX-05"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100 100 98 100"))
    floor.buys("10:00:05", "10", limit="99.00")

    answer = floor.exchange.cancel(at("10:00:20"), ClientOrderId("buy"))

    assert answer == Refused(RefusalKind.NOT_WORKING, snapshot)


def test_the_order_list_is_cached_until_it_changes() -> None:
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


def test_a_moved_trailing_stop_is_listed_anew() -> None:
    """EX-09, EX-12"""
    floor = Floor()
    floor.bars(a_bar("10:00", "100"))
    floor.buys("10:00:10", "10")
    floor.exchange.submit(at("10:00:30"), an_order("trail", Side.SELL, "10", trail="1.00"))
    before = floor.exchange.orders(at("10:00:40"))[-1].stop_price

    floor.bars(a_bar("10:01", "101 103 101 103"))

    assert floor.exchange.orders(at("10:02"))[-1].stop_price != before
