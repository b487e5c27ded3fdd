"""Files of bars of many vendors: each is read as pandas reads it, or refused with its place and what to write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from console.commands.assembly.host import Host
from console.commands.assembly.recordings import of_symbols, recorded, symbol_in_name
from console.commands.assembly.settings import backtest_settings
from core.files.csv_files import FileFault, TableError
from core.messages.inputs import BarArrived
from tests.scenarios.vendor_files import FIGURES, Bars, bars_of
from tests.scenarios.vendor_forms import VENDORS


@dataclass(frozen=True)
class Refused:
    """With the line, the column by its name in the file, and what to write; 0 and empty for the file as a whole."""

    fault: FileFault
    line: int = 0
    column: str = ""
    write: str = ""


HEADER = "timestamp,open,high,low,close,volume"
NEW_YORK = "--zone America/New_York"
TAKEN = None
OUTCOMES: dict[str, Refused | None] = {
    "Alpaca, alpaca-py": TAKEN,
    "Alpaca, REST": TAKEN,
    "Interactive Brokers, API": Refused(FileFault.DATE, 2, "date", "2013-10-08T09:30:00"),
    "Interactive Brokers, ib_insync": TAKEN,
    "Interactive Brokers, TWS": Refused(FileFault.ZONE, 2, "date", NEW_YORK),
    "Interactive Brokers, TWS, its zone named": TAKEN,
    "thinkorswim, a study's report": Refused(FileFault.COLUMN, 1, HEADER, HEADER),
    "TradeStation": Refused(FileFault.COLUMN, 1, "volume", "date,open,high,low,close,volume"),
    "NinjaTrader": Refused(FileFault.SEPARATOR, 1, "", HEADER),
    "MetaTrader 4": Refused(FileFault.HEADER, 1, "", HEADER),
    "MetaTrader 5": Refused(FileFault.SEPARATOR, 1, "", HEADER),
    "MetaTrader 5, with commas": Refused(FileFault.DATE, 2, "<date>", "2013-10-08"),
    "MetaTrader 5, days": Refused(FileFault.DATE, 2, "<date>", "2013-11-13"),
    "MetaTrader 5, hyphens, real volume": TAKEN,
    "MetaTrader 5, hyphens, ticks alone": Refused(FileFault.VOLUME, 2, "<vol>"),
    "MetaTrader 5, no real volume": Refused(FileFault.COLUMN, 1, "volume", "<date>,open,high,low,close,volume"),
    "Sierra Chart": Refused(FileFault.COLUMN, 1, "close", "date,open,high,low,close,volume"),
    "QuantConnect Lean, minutes": Refused(FileFault.HEADER, 1, "", HEADER),
    "Polygon, REST": TAKEN,
    "Polygon, flat file": TAKEN,
    "Databento, decimals": TAKEN,
    "Databento, raw, its numbers alone": Refused(FileFault.NUMBER, 2, "open", "167.45"),
    "Databento, raw": Refused(FileFault.NUMBER, 2, "open", "167.45"),
    "TradingView, seconds": TAKEN,
    "TradingView, ISO 8601": TAKEN,
    "Stooq, page": TAKEN,
    "Stooq, archive of days": TAKEN,
    "Stooq, archive, the market behind the symbol": Refused(FileFault.SYMBOL, 2, "<ticker>", "SPY"),
    "Yahoo, page": TAKEN,
    "Yahoo, copied from the page": Refused(FileFault.DATE, 2, "date", "2013-11-29"),
    "yfinance, minutes": TAKEN,
    "yfinance, days": TAKEN,
    "yfinance, two lines of names": Refused(FileFault.HEADER, 1, "", "Date,Close,High,Low,Open,Volume"),
    "Nasdaq.com": Refused(FileFault.DATE, 2, "date", "2013-11-29"),
    "Nasdaq.com, dates rewritten": Refused(FileFault.NUMBER, 2, "open", "176.11"),
    "Investing.com": Refused(FileFault.COLUMN, 1, "close", "date,open,high,low,close,volume"),
    "Investing.com, the close renamed": Refused(FileFault.DATE, 2, "date", "2013-11-13"),
    "Investing.com, dates rewritten": Refused(FileFault.NUMBER, 2, "vol.", "84500144"),
    "Barchart": Refused(FileFault.COLUMN, 1, "close", "time,open,high,low,close,volume"),
    "Barchart, names and dates rewritten": Refused(FileFault.UNREADABLE, 14),
    "Kibot": Refused(FileFault.HEADER, 1, "", HEADER),
    "FirstRate": Refused(FileFault.HEADER, 1, "", HEADER),
    "FirstRate, a header added": TAKEN,
    "Tiingo, days": TAKEN,
    "Tiingo, IEX minutes": TAKEN,
    "Alpha Vantage, minutes": Refused(FileFault.ZONE, 2, "timestamp", NEW_YORK),
    "Alpha Vantage, its zone named": Refused(FileFault.NEWEST_FIRST, 3, "timestamp"),
    "Alpha Vantage, days": Refused(FileFault.NEWEST_FIRST, 3, "timestamp"),
    "EODHD, minutes": TAKEN,
    "Twelve Data": Refused(FileFault.SEPARATOR, 1, "", HEADER),
    "Dukascopy": Refused(FileFault.COLUMN, 1, "timestamp", HEADER),
    "Refinitiv": Refused(FileFault.DATE, 2, "date", "2013-10-08T13:30:00"),
    "Alpaca, days": TAKEN,
    "Interactive Brokers, days": TAKEN,
    "Polygon, days": TAKEN,
    "TradingView, days": TAKEN,
    "Databento, days": TAKEN,
    "Google Finance": Refused(FileFault.DATE, 2, "date", "2013-11-13T16:00:00"),
    "Google Finance, dates rewritten": TAKEN,
    "HistData": Refused(FileFault.SEPARATOR, 1, "", HEADER),
    "Financial Modeling Prep": TAKEN,
    "a spreadsheet's numbers of days": Refused(FileFault.DATE, 2, "date", "2013-11-13"),
    "semicolons and decimal commas": Refused(FileFault.SEPARATOR, 1, "", HEADER),
    "quoted decimal commas": Refused(FileFault.NUMBER, 2, "open", "176.11"),
    "thousands separators": Refused(FileFault.NUMBER, 2, "volume", "84500144"),
    "UTF-16": Refused(FileFault.FILE),
    "a byte order mark and CRLF": TAKEN,
    "a zip file": Refused(FileFault.FILE),
    "a workbook": Refused(FileFault.FILE),
    "a gzip file": Refused(FileFault.FILE),
    "days, the newest first": Refused(FileFault.NEWEST_FIRST, 3, "date"),
    "a clock of twelve hours": Refused(FileFault.DATE, 2, "timestamp", "2013-10-08T09:30:00"),
    "a clock of twelve hours in its column": Refused(FileFault.DATE, 2, "date", "2013-10-08T09:30:00"),
    "years of two digits, last": Refused(FileFault.DATE, 2, "date", "2013-11-13"),
    "years of two digits, after the day": Refused(FileFault.DATE, 2, "date", "2013-11-13"),
    "years of two digits, first": Refused(FileFault.DATE, 2, "date", "2013-11-13"),
    "days that may be months": Refused(FileFault.DATE, 2, "date", "2013-11-04 or 2013-04-11"),
    "digits of a minute": Refused(FileFault.ZONE, 2, "timestamp", NEW_YORK),
    "digits of a minute, the zone named": TAKEN,
    "digits of a second, the zone named": TAKEN,
    "a session by its ends": Refused(FileFault.LABELS, 391, "timestamp", "2013-10-08T19:59:00Z"),
    "ends, the first day from the afternoon": Refused(FileFault.LABELS, 111, "timestamp", "2013-10-08T19:59:00Z"),
    "ends of thin minutes": Refused(FileFault.LABELS, 42, "timestamp", "2013-10-08T19:59:00Z"),
    "ends of extended hours": Refused(FileFault.LABELS, 481, "timestamp", "2013-10-08T19:59:00Z"),
    "starts of extended hours": TAKEN,
    "starts of thin minutes": TAKEN,
    "starts up to 13:00": TAKEN,
    "a volume of zero": Refused(FileFault.VOLUME, 2, "volume"),
}
"""What becomes of each form."""


def played(path: Path, zone: str) -> Bars:
    """The bars that a backtest of the file plays. Raises `TableError`."""
    host = Host.of({"KEYTURN_HOME": str(path.parent / "home")})
    overrides = (of_symbols([symbol_in_name(path)]),)
    (feed,) = recorded(host, [path], (), overrides, backtest_settings, (), zone).feeds
    bars = [item.bar for _, _, item in feed if isinstance(item, BarArrived)]
    rows = [(bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.symbol) for bar in bars]
    assert len(rows) == len(feed)
    return Bars(rows, columns=["start", *FIGURES, "symbol"])


def exactly(bars: Bars) -> list[tuple[object, ...]]:
    return [tuple(row) for row in bars.itertuples(index=False)]


@pytest.mark.parametrize("form", OUTCOMES)
def test_a_vendors_file_is_read_exactly_or_refused_in_its_place(form: str, tmp_path: Path) -> None:
    """MD-08: in time, open, high, low, close, volume and symbol pandas finds the same, by another way"""
    vendor = VENDORS[form]
    path = tmp_path / vendor.name
    path.write_bytes(vendor.written(vendor.rows))
    by_pandas = vendor.read(path)
    assert exactly(by_pandas) == exactly(bars_of(vendor.rows))
    outcome = OUTCOMES[form]

    if outcome is TAKEN:
        assert exactly(played(path, vendor.zone)) == exactly(by_pandas)
        return
    with pytest.raises(TableError) as refused:
        played(path, vendor.zone)
    error, place = refused.value, f"{path}:{outcome.line}" if outcome.line else str(path)
    assert Refused(error.fault, error.line, error.column, error.write) == outcome
    assert str(error).startswith(str(path))
    assert f":{outcome.line}:" in str(error) or f"line {outcome.line}:" in str(error) or place == str(path)
    assert outcome.write in str(error)


def test_each_form_has_an_outcome() -> None:
    """MD-08: at least 25 forms, by vendors and programs"""
    assert [*OUTCOMES] == [*VENDORS]
    assert len({form.partition(",")[0] for form in OUTCOMES}) >= 25
