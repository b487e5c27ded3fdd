"""A history of closed trades from a file: believed whole, or refused with its line."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.files.csv_files import COLUMNS, TableError, moment_of, read_trades
from core.model.signal import ExitReason
from tests.kit.rows import cases, table

HEADER = ",".join(COLUMNS)


def a_history(folder: Path, *reasons: str, symbol: str = "SPY") -> Path:
    path = folder / "trades.csv"
    row = "2026-11-19T15:00:00Z,2026-11-19T15:10:00Z,{},long,-0.01,{}"
    path.write_text("\n".join([HEADER, *(row.format(symbol, reason) for reason in reasons)]) + "\n")
    return path


def test_a_header_alone_is_an_empty_history(tmp_path: Path) -> None:
    """RK-09"""
    assert read_trades(a_history(tmp_path)) == []


def test_symbols_are_compared_in_capitals(tmp_path: Path) -> None:
    """RK-09"""
    (trade,) = read_trades(a_history(tmp_path, "stop_loss", symbol="spy"))

    assert trade.symbol == "SPY"


def test_what_freqtrade_calls_an_end_is_known(tmp_path: Path) -> None:
    """RK-09"""
    trades = read_trades(a_history(tmp_path, "ROI", "exit_signal", "stoploss_on_exchange"))

    assert [t.exit_reason for t in trades] == [ExitReason.TAKE_PROFIT, ExitReason.MANUAL, ExitReason.STOP_LOSS]


def test_an_unknown_exit_reason_is_refused(tmp_path: Path) -> None:
    """RK-09: it may have been a stop"""
    with pytest.raises(TableError, match=r"trades\.csv:3: exit_reason 'sideways' is not known; .* stop_loss, .* roi"):
        read_trades(a_history(tmp_path, "roi", "sideways"))


@table("text", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1899-12-31", "soon", "")
def test_an_extreme_instant_is_refused(text: str) -> None:
    """RK-09: the windows of protections look back and forth from it"""
    assert moment_of(text) is None
    assert moment_of("2026-11-20T15:00:00") == datetime(2026, 11, 20, 15, tzinfo=UTC)


OF_A_BACKTEST = "symbol,entry_time,entry_price,quantity,exit_time,exit_price,exit_reason,profit,slippage"


def test_a_backtests_trades_are_read(tmp_path: Path) -> None:
    """RK-09, AN-04: the ratio is of what was paid or received, and a short makes its profit by a fall."""
    path = tmp_path / "trades.csv"
    path.write_text(
        f"{OF_A_BACKTEST}\n"
        "SPY,2013-10-08T14:51:20Z,200,0.5,2013-10-08T15:39:20Z,198,STOP_LOSS,-1,0.01\n"
        "IBM,2013-10-09T15:10:01.200000Z,100,2,2013-10-09T16:03:01.300000Z,99,TAKE_PROFIT,1.99,0\n"
    )

    spy, ibm = read_trades(path)

    assert (spy.symbol, spy.direction, spy.ratio, spy.exit_reason) == (
        "SPY",
        "long",
        Decimal("-0.01"),
        ExitReason.STOP_LOSS,
    )
    assert (ibm.direction, ibm.ratio) == ("short", Decimal("0.00995"))
    assert spy.closed_at == datetime(2013, 10, 8, 15, 39, 20, tzinfo=UTC)


@cases(
    "row said",
    ("SPY,2013-10-08T14:51:20Z,0,0.5,2013-10-08T15:39:20Z,198,STOP_LOSS,-1,0", "must be above zero"),
    ("SPY,2013-10-08T14:51:20Z,x,0.5,2013-10-08T15:39:20Z,198,STOP_LOSS,-1,0", "entry_price 'x' is no number"),
    ("SPY,2013-10-08T14:51:20Z,1,1,2013-10-08T15:39:20Z,1e999999,STOP_LOSS,-1,0", "exit_price '1e999999' is no"),
    ("SPY,2013-10-08T14:51:20Z,1,1,2013-10-07T15:39:20Z,1,STOP_LOSS,0,0", "exit_time .* is before entry_time"),
    ("SPY,2013-10-08T14:51:20Z,1,0.001,2013-10-09T15:39:20Z,1,STOP_LOSS,99999,0", "cannot be; fix the row"),
)
def test_an_impossible_row_names_its_line(tmp_path: Path, row: str, said: str) -> None:
    """RK-09"""
    path = tmp_path / "trades.csv"
    path.write_text(f"{OF_A_BACKTEST}\n{row}\n")

    with pytest.raises(TableError, match=rf"trades\.csv:2: .*{said}"):
        read_trades(path)
