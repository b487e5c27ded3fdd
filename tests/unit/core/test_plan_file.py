"""A basket's file: what is read of it, and each row that is refused with its place (OP-05, RK-18)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.files.basket_file import BasketFileError, read_plan
from core.files.csv_files import TableError
from core.messages.commands import BasketRow
from core.model.basket import Deployment
from core.model.order import Effect, OrderType, TimeInForce
from core.model.values import Money
from tests.kit.rows import table

FILE = Path("rebalance.csv")
HEADER = "symbol,side,quantity,notional,type,limit_price,stop_price,time_in_force"


def rows(*lines: str, header: str = HEADER, deploy: str | None = None) -> tuple[BasketRow, ...]:
    return read_plan(FILE, "\n".join([header, *lines]), None if deploy is None else Deployment(Money(Decimal(deploy))))


def test_a_row_says_symbol_side_size_and_prices() -> None:
    """OP-05"""
    (sale, entry) = rows("spy, sell,,,,,,", "QQQ,buy,10,,limit,500.10,490,gtc")

    assert (sale.symbol, sale.effect, sale.quantity, sale.type) == ("SPY", Effect.CLOSE, None, OrderType.MARKET)
    assert (entry.effect, entry.quantity, entry.limit_price) == (Effect.OPEN, Decimal(10), Decimal("500.10"))
    assert (entry.stop_price, entry.time_in_force, entry.place) == (Decimal(490), TimeInForce.GTC, "rebalance.csv:3")


def test_two_columns_are_enough_for_sales() -> None:
    """OP-05"""
    assert [row.symbol for row in rows("SPY,sell", "QQQ,cover", header="symbol,side")] == ["SPY", "QQQ"]


@table(
    "line told",
    ("SPY,hold,1,,,,,", "rebalance.csv:2: side 'hold' must be buy, sell, short, cover"),
    ("S PY,buy,1,,,,,", "rebalance.csv:2: symbol 'S PY' is no symbol such as SPY"),
    ("SPY,buy,1,", "rebalance.csv:2: the line has 4 fields, the header 8; make them equal"),
    ("SPY,buy,1,100,,,,", "quantity and notional are both there"),
    ("SPY,buy,,,,,,", "no quantity and no notional"),
    ("SPY,buy,x,,,,,", "quantity 'x' is no number such as 12.5"),
    ("SPY,buy,-1,,,,,", "rebalance.csv:2: quantity '-1' is no number such as 12.5"),
    ("SPY,buy,NaN,,,,,", "quantity 'NaN' is no number such as 12.5"),
    ("SPY,buy,1e3,,,,,", "2: quantity '1e3' is no number such as 12.5: digits, and one point at most"),
    ("SPY,buy,1_000,,,,,", "quantity '1_000' is no number such as 12.5"),
    ("SPY,buy,,١٢,,,,", "rebalance.csv:2: notional '\\u0661\\u0662' is no number such as 12.5"),
    ("SPY,buy,1.2.3,,,,,", "quantity '1.2.3' is no number such as 12.5"),
    ("SPY,buy,1,,,+5,,", "limit_price '+5' is no number such as 12.5"),
    ("SPY,buy,0.00,,,,,", "quantity '0.00' must be above zero"),
    ("SPY,buy,1000000000001,,,,,", "at most 1,000,000,000"),
    ("SPY,buy,1,,iceberg,,,", "type 'iceberg' must be market, limit, stop, stop-limit, trailing"),
    ("SPY,buy,1,,stop,,,", "a stop order needs a trigger_price; write it"),
    ("SPY,sell,1,,stop,,,", "a stop order of a basket opens; a sale is market or limit"),
    ("SPY,buy,1,,limit,,,", "a limit order needs a limit_price"),
    ("SPY,buy,1,,market,100,,", "a market order has no limit_price"),
    ("SPY,sell,1,,,,99,", "stop_price is the stop of an entry"),
    ("SPY,buy,1,,,,,week", "time_in_force 'week' must be day or gtc"),
)
def test_an_invalid_row_names_its_place(line: str, told: str) -> None:
    """OP-05"""
    with pytest.raises(BasketFileError) as refused:
        rows(line)
    (fault,) = refused.value.faults
    assert told in fault


def test_one_faulty_row_refuses_the_file() -> None:
    """OP-05: half of a rebalancing is another trade."""
    with pytest.raises(BasketFileError) as refused:
        rows("SPY,sell,,,,,,", "QQQ,bu,1,,,,,", "IBM,buy,,,,,,", "SPY,sell,1,,,,,")
    assert [fault.split(": ")[0] for fault in refused.value.faults] == [
        "rebalance.csv:3",
        "rebalance.csv:4",
        "rebalance.csv:5",
    ]


def test_a_column_of_another_name_is_refused() -> None:
    """OP-05: a limit that is misspelt would be sent at the market."""
    with pytest.raises(TableError, match=r"no column is called 'limt_price'"):
        rows("SPY,buy,1,500", header="symbol,side,quantity,limt_price")


def test_unsized_rows_need_an_amount_to_share() -> None:
    """RK-18"""
    read = rows("SPY,sell,,,,,,", "QQQ,buy,5,,,,480,", "IBM,buy,,,,,200,", "AAPL,buy,,,,,180,", deploy="5000")

    assert [row.notional for row in read] == [None] * 4
    assert [row.quantity for row in read] == [None, Decimal(5), None, None]


def test_an_amount_without_takers_is_refused() -> None:
    """RK-18"""
    with pytest.raises(TableError, match="nothing to deploy"):
        rows("QQQ,buy,5,,,,480,", deploy="5000")


def test_too_many_orders_are_refused() -> None:
    """OP-05"""
    with pytest.raises(TableError, match="200 at most are signed at once"):
        rows(*(f"A{number},sell" for number in range(201)), header="symbol,side")


WIDE = "symbol,side,quantity,type,limit_price,stop_price,trigger_price,trail,ttl_seconds"


def test_trigger_entries_have_all_prices() -> None:
    """EX-12, EX-07"""
    stop, limited, trailing, short, timed = rows(
        "SPY,buy,10,stop,,99,101,,", "QQQ,buy,10,stop-limit,101.20,99,101,,600", "IBM,buy,10,trailing,,99,,1.50,",
        "AIG,short,10,trailing,,55,,2%,", "BAC,buy,10,limit,13,12.50,,,90", header=WIDE,
    )  # fmt: skip

    assert (stop.type, stop.trigger_price, stop.stop_price) == (OrderType.STOP, Decimal(101), Decimal(99))
    assert (limited.type, limited.limit_price, limited.ttl_seconds) == (OrderType.STOP_LIMIT, Decimal("101.20"), 600)
    assert (trailing.type, trailing.trail_price, trailing.trail_fraction) == (
        OrderType.TRAILING_STOP,
        Decimal("1.50"),
        None,
    )
    assert (short.trail_price, short.trail_fraction) == (None, Decimal("0.02"))
    assert (timed.type, timed.ttl_seconds) == (OrderType.LIMIT, 90)


@table(
    "line told",
    ("SPY,buy,1,limit,100,99,101,,", "a limit order has no trigger_price; leave it empty"),
    ("SPY,buy,1,trailing,,99,,,", "a trailing order needs a trail; write it"),
    ("SPY,buy,1,stop,,99,101,1,", "a stop order has no trail; leave it empty"),
    ("SPY,buy,1,stop-limit,,99,101,,", "a stop-limit order needs a limit_price; write it"),
    ("SPY,buy,1,trailing,,99,,100%,", "trail '100%' must be under 100%"),
    ("SPY,buy,1,trailing,,99,,x,", "trail 'x' is no number such as 12.5"),
    ("SPY,buy,1,limit,100,99,,,0", "ttl_seconds '0' must be whole seconds, from 1 to 86400"),
    ("SPY,buy,1,limit,100,99,,,5m", "ttl_seconds '5m' must be whole seconds"),
    ("SPY,sell,1,limit,100,,,,60", "ttl_seconds is an entry's own time; a sale has none"),
)
def test_a_misplaced_trigger_is_named(line: str, told: str) -> None:
    """EX-12, EX-07"""
    with pytest.raises(BasketFileError) as refused:
        rows(line, header=WIDE)
    (fault,) = refused.value.faults
    assert told in fault
