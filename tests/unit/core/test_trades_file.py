"""A history of closed trades from a file: believed whole, or refused with its line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.csv_table import TableError
from core.model.signal import ExitReason
from core.trades_file import COLUMNS, moment_of, read_trades

HEADER = ",".join(COLUMNS)


def a_history(folder: Path, *reasons: str, symbol: str = "SPY") -> Path:
    path = folder / "trades.csv"
    row = "2026-11-19T15:00:00Z,2026-11-19T15:10:00Z,{},long,-0.01,{}"
    path.write_text("\n".join([HEADER, *(row.format(symbol, reason) for reason in reasons)]) + "\n")
    return path


def test_a_header_alone_is_a_history_of_no_trades(tmp_path: Path) -> None:
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


def test_an_end_that_is_not_known_is_refused_with_its_line_and_the_known_ones(tmp_path: Path) -> None:
    """RK-09: it may have been a stop"""
    with pytest.raises(TableError, match=r"trades\.csv:3: exit_reason 'sideways' is not known; .* stop_loss, .* roi"):
        read_trades(a_history(tmp_path, "roi", "sideways"))


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1899-12-31", "soon", ""])
def test_an_instant_that_no_window_reaches_from_is_none(text: str) -> None:
    """RK-09: the windows of protections look back and forth from it"""
    assert moment_of(text) is None
    assert moment_of("2026-11-20T15:00:00") == datetime(2026, 11, 20, 15, tzinfo=UTC)
