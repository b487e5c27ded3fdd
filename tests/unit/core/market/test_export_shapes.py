"""Bar exports as brokers and vendors write them: which are read as what, and why the others are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from syrupy.assertion import SnapshotAssertion

from core.files.csv_files import FileFault, TableError
from core.market.csv_source import DayRow, is_daily, read_bars, read_days, symbol_named_in
from core.market.foreign_values import number_trouble
from core.market.packed_rows import BrokenRow
from core.model.bar import Bar
from core.model.values import Symbol
from tests.data import minutes_of
from tests.kit.rows import cases, table

SPY = Symbol("SPY")
NEW_YORK = ZoneInfo("America/New_York")
OPEN = datetime(2024, 1, 2, 9, 30, tzinfo=NEW_YORK)
ROWS = 12
MINUTES, DAYS = "minutes", "days"


@dataclass(frozen=True)
class Row:
    """The bar that begins `number` steps after the first."""

    number: int
    step: timedelta

    @property
    def at(self) -> datetime:
        return OPEN + self.number * self.step

    @property
    def day(self) -> date:
        return date(2024, 1, 2) + timedelta(days=self.number)

    @property
    def utc(self) -> datetime:
        return self.at.astimezone(UTC)

    @property
    def prices(self) -> tuple[str, str, str, str, str]:
        base = Decimal(470) + self.number
        return (f"{base}.25", f"{base}.80", f"{base}.10", f"{base}.50", f"{1000 + self.number}")

    def epoch(self, unit: int) -> int:
        return int(self.utc.timestamp()) * unit


Written = Callable[[Row], str]


def ohlcv(row: Row) -> str:
    return ",".join(row.prices)


def text_of(
    header: str, written: Written, step: timedelta = timedelta(minutes=1), *, newest_first: bool = False
) -> str:
    lines = [written(Row(number, step)) for number in range(ROWS)]
    body = lines[::-1] if newest_first else lines
    return "\n".join([*([header] if header else []), *body]) + "\n"


def polygon(row: Row, volume_first: tuple[str, ...]) -> str:
    opened, high, low, close, volume = row.prices
    return ",".join((*volume_first, volume, opened, close, high, low))


ALPACA = "symbol,timestamp,open,high,low,close,volume,trade_count,vwap"
FIVE, HOUR, DAY = timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)

SHAPES: dict[str, tuple[str, str | FileFault]] = {
    "alpaca-py, minutes": (text_of(ALPACA, lambda r: f"SPY,{r.utc},{ohlcv(r)},9,470.3"), MINUTES),
    "alpaca-py, two symbols": (
        text_of(ALPACA, lambda r: f"{'SPY' if r.number < 6 else 'QQQ'},{r.utc},{ohlcv(r)},9,470.3"),
        FileFault.SYMBOL,
    ),
    "Alpha Vantage, intraday": (
        text_of(
            "timestamp,open,high,low,close,volume", lambda r: f"{r.at:%Y-%m-%d %H:%M:%S},{ohlcv(r)}", newest_first=True
        ),
        FileFault.ZONE,
    ),
    "Alpha Vantage, daily": (
        text_of("timestamp,open,high,low,close,volume", lambda r: f"{r.day},{ohlcv(r)}", newest_first=True),
        FileFault.NEWEST_FIRST,
    ),
    "Alpha Vantage, JSON as a table": (
        text_of(",1. open,2. high,3. low,4. close,5. volume", lambda r: f"{r.day},{ohlcv(r)}"),
        DAYS,
    ),
    "IB, ib_insync minutes": (
        text_of(",date,open,high,low,close,volume,average,barCount", lambda r: f"{r.number},{r.at},{ohlcv(r)},1,2"),
        MINUTES,
    ),
    "IB, ib_insync days": (
        text_of(",date,open,high,low,close,volume,average,barCount", lambda r: f"{r.number},{r.day},{ohlcv(r)},1,2"),
        DAYS,
    ),
    "IB, TWS": (
        text_of("date,open,high,low,close,volume", lambda r: f"{r.at:%Y%m%d %H:%M:%S},{ohlcv(r)}"),
        FileFault.ZONE,
    ),
    "Polygon, REST": (text_of("v,o,c,h,l,t,n", lambda r: f"{polygon(r, ())},{r.epoch(1000)},7"), MINUTES),
    "Polygon, flat file": (
        text_of(
            "ticker,volume,open,close,high,low,window_start,transactions",
            lambda r: f"{polygon(r, ('SPY',))},{r.epoch(10**9)},7",
        ),
        MINUTES,
    ),
    "Databento, decimals": (
        text_of(
            "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol",
            lambda r: f"{r.utc:%Y-%m-%dT%H:%M:%S}.000000000Z,33,2,15144,{ohlcv(r)},SPY",
        ),
        MINUTES,
    ),
    "Databento, raw": (
        text_of(
            "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume",
            lambda r: f"{r.epoch(10**9)},33,2,15144," + ",".join(f"{Decimal(p) * 10**9:.0f}" for p in r.prices),
        ),
        FileFault.NUMBER,
    ),
    "Databento, seconds": (
        text_of("ts_event,open,high,low,close,volume", lambda r: f"{r.epoch(10**9)},{ohlcv(r)}", timedelta(seconds=1)),
        FileFault.BAR_LENGTH,
    ),
    "FirstRate, no header": (text_of("", lambda r: f"{r.at:%Y-%m-%d %H:%M:%S},{ohlcv(r)}"), FileFault.HEADER),
    "FirstRate, header": (
        text_of("timestamp,open,high,low,close,volume", lambda r: f"{r.at:%Y-%m-%d %H:%M:%S},{ohlcv(r)}"),
        FileFault.ZONE,
    ),
    "stooq, page": (text_of("Date,Open,High,Low,Close,Volume", lambda r: f"{r.day},{ohlcv(r)}"), DAYS),
    "stooq, archive of days": (
        text_of(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            lambda r: f"SPY.US,D,{r.day:%Y%m%d},000000,{ohlcv(r)},0",
        ),
        FileFault.SYMBOL,
    ),
    "stooq, archive of minutes": (
        text_of(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            lambda r: f"SPY.US,5,{r.at:%Y%m%d},{r.at:%H%M%S},{ohlcv(r)},0",
            FIVE,
        ),
        FileFault.ZONE,
    ),
    "yfinance, history of days": (
        text_of(
            "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
            lambda r: f"{r.day} 00:00:00-05:00,{ohlcv(r)},0.0,0.0",
        ),
        DAYS,
    ),
    "yfinance, history of minutes": (
        text_of("Datetime,Open,High,Low,Close,Volume,Dividends", lambda r: f"{r.at},{ohlcv(r)},0.0"),
        MINUTES,
    ),
    "yfinance, history of hours": (
        text_of("Datetime,Open,High,Low,Close,Volume,Dividends", lambda r: f"{r.at},{ohlcv(r)},0.0", HOUR),
        FileFault.BAR_LENGTH,
    ),
    "yfinance, download": (
        text_of(
            "Price,Open,High,Low,Close,Volume\nTicker,SPY,SPY,SPY,SPY,SPY\nDate,,,,,", lambda r: f"{r.day},{ohlcv(r)}"
        ),
        FileFault.HEADER,
    ),
    "Yahoo, page": (
        text_of("Date,Open,High,Low,Close,Adj Close,Volume", lambda r: f"{r.day},{','.join(r.prices[:4])},1,9"),
        DAYS,
    ),
    "TradingView, minutes": (text_of("time,open,high,low,close,Volume", lambda r: f"{r.epoch(1)},{ohlcv(r)}"), MINUTES),
    "TradingView, five minutes": (
        text_of("time,open,high,low,close,Volume", lambda r: f"{r.at.isoformat()},{ohlcv(r)}", FIVE),
        FileFault.BAR_LENGTH,
    ),
    "TradingView, weeks": (
        text_of("time,open,high,low,close,Volume", lambda r: f"{OPEN.date() + r.number * 7 * DAY},{ohlcv(r)}"),
        FileFault.BAR_LENGTH,
    ),
    "Nasdaq, page": (
        text_of(
            "Date,Close/Last,Volume,Open,High,Low",
            lambda r: f"{r.day:%m/%d/%Y},$470.50,1000,$470.25,$470.80,$470.10",
            newest_first=True,
        ),
        FileFault.DATE,
    ),
    "Tiingo, days": (
        text_of("date,open,high,low,close,volume,adjClose", lambda r: f"{r.day}T00:00:00.000Z,{ohlcv(r)},1"),
        DAYS,
    ),
    "EODHD, minutes": (
        text_of(
            "Timestamp,Gmtoffset,Datetime,Open,High,Low,Close,Volume",
            lambda r: f"{r.epoch(1)},0,{r.utc:%Y-%m-%d %H:%M:%S},{ohlcv(r)}",
        ),
        MINUTES,
    ),
    "Twelve Data": (
        text_of("datetime;open;high;low;close;volume", lambda r: f"{r.at};{ohlcv(r).replace(',', ';')}"),
        FileFault.SEPARATOR,
    ),
    "MetaTrader": (
        text_of(
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>",
            lambda r: f"{r.at:%Y.%m.%d}\t{r.at:%H:%M:%S}\t{ohlcv(r).replace(',', chr(9))}",
        ),
        FileFault.SEPARATOR,
    ),
    "Kibot": (text_of("", lambda r: f"{r.at:%m/%d/%Y},{r.at:%H:%M},{ohlcv(r)}"), FileFault.HEADER),
    "TradeStation": (
        text_of(
            '"Date","Time","Open","High","Low","Close","Vol"', lambda r: f"{r.at:%m/%d/%Y},{r.at:%H:%M},{ohlcv(r)}"
        ),
        FileFault.DATE,
    ),
    "Investing.com": (
        text_of('"Date","Price","Open","High","Low","Vol.","Change %"', lambda r: f"{r.day},1,2,3,4,98.50M,0.1%"),
        FileFault.COLUMN,
    ),
    "a spreadsheet with a comma in its numbers": (
        text_of("date,open,high,low,close,volume", lambda r: f"{r.day};470,25;470,80;470,10;470,50;1000"),
        FileFault.UNREADABLE,
    ),
}


def outcome_of(path: Path) -> str | FileFault:
    """As a backtest reads it: by its own columns, whatever its name is."""
    is_of_days = is_daily(path)
    try:
        items: Iterator[object] = iter(read_days(path, SPY)) if is_of_days else read_bars(path, SPY)
        read = list(items)
    except TableError as error:
        return error.fault if str(error).startswith(str(path)) else str(error)
    assert {type(item) for item in read} == {DayRow if is_of_days else Bar}
    assert len(read) == ROWS
    return DAYS if is_of_days else MINUTES


@cases("name", *SHAPES)
def test_an_export_is_read_or_refused(tmp_path: Path, name: str) -> None:
    """MD-08"""
    path = tmp_path / "export.csv"
    content, outcome = SHAPES[name]
    path.write_text(content)

    assert outcome_of(path) == outcome


def test_minutes_are_the_same_in_every_export(tmp_path: Path) -> None:
    """MD-08: whatever the order of the columns and the form of the times."""
    path = tmp_path / "export.csv"
    read = set()
    for content in (content for content, outcome in SHAPES.values() if outcome == MINUTES):
        path.write_text(content)
        read.add(tuple(read_bars(path, SPY)))

    (bars,) = read
    assert [bar.start for bar in bars if isinstance(bar, Bar)][:2] == [OPEN, OPEN + timedelta(minutes=1)]


@table("number", "1_000", "4_70.5", "４７０", "470,5", "nan", "Infinity", "1 000", "0x10", "$470", "1,000", "", "٤٧٠")
def test_only_plain_digits_are_a_number(tmp_path_factory: pytest.TempPathFactory, number: str) -> None:
    """MD-08: what Python alone takes for a number is none."""
    path = tmp_path_factory.mktemp("one") / "export.csv"
    path.write_text(f'timestamp,open,high,low,close,volume\n{OPEN},1,1,1,1,"{number}"\n{OPEN + HOUR},1,1,1,1,1e3\n')

    broken, sound = read_bars(path, SPY)

    assert isinstance(broken, BrokenRow)
    assert isinstance(sound, Bar)
    assert sound.volume == 1000


def test_a_column_says_which_symbol_is_played(tmp_path: Path) -> None:
    """MD-08: where the name of the file says none."""
    path = tmp_path / "export.csv"
    path.write_text(SHAPES["alpaca-py, minutes"][0])

    assert symbol_named_in(path) == SPY
    with pytest.raises(TableError) as refusal:
        read_bars(path, Symbol("QQQ"))
    assert refusal.value.fault is FileFault.SYMBOL


@table(
    "gaps fault",
    ((1, 1, 9, 1, 30), None),
    ((7, 12, 3, 31, 5), None),
    ((10, 20, 5, 15), FileFault.BAR_LENGTH),
    ((5, 5, 5, 4, 5), FileFault.BAR_LENGTH),
    ((60, 60, 1080, 60), FileFault.BAR_LENGTH),
    ((5, 5), None),
    ((*(1,) * 30, *(5,) * 10), FileFault.BAR_LENGTH),
    ((*(1,) * 30, *(5,) * 9), None),
    ((*(1,) * 30, *(2,) * 10), None),
)
def test_gaps_tell_how_long_bars_are(
    tmp_path_factory: pytest.TempPathFactory, gaps: tuple[int, ...], fault: FileFault | None
) -> None:
    """MD-08: minutes without a trade are no longer bars, and one odd bar changes nothing."""
    path = tmp_path_factory.mktemp("gaps") / "export.csv"
    starts = [OPEN + timedelta(minutes=sum(gaps[:count])) for count in range(len(gaps) + 1)]
    path.write_text("timestamp,open,high,low,close,volume\n" + "".join(f"{at},1,1,1,1,5\n" for at in starts))

    with nullcontext() if fault is None else pytest.raises(TableError) as refusal:
        read_bars(path, SPY)

    assert (refusal.value.fault if refusal else None) is fault


def a_session(first: str, last: str, day: date = date(2024, 1, 2), volume: str = "1000") -> Iterator[str]:
    """A row a minute, New York time in UTC."""
    at = datetime.fromisoformat(f"{day}T{first}").replace(tzinfo=NEW_YORK)
    end = datetime.fromisoformat(f"{day}T{last}").replace(tzinfo=NEW_YORK)
    while at <= end:
        yield f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ},470,471,469,470.5,{volume},77"
        at += timedelta(minutes=1)


def fault_of(path: Path) -> FileFault | None:
    try:
        read_bars(path, SPY)
    except TableError as error:
        return error.fault
    return None


HEADER = "timestamp,open,high,low,close,volume,tickvol"


@pytest.mark.parametrize(
    ("hours", "is_refused"),
    [
        ([("09:31", "16:00")], True),
        ([("09:31", "16:00"), ("09:31", "16:00"), ("09:31", "13:00")], True),
        ([("09:30", "15:59")], False),
        ([("09:30", "16:00")], False),
        ([("09:31", "15:59")], False),
        ([("08:00", "18:00")], False),
        ([("09:31", "16:00"), ("09:30", "15:59"), ("09:30", "15:59")], False),
        ([("09:31", "09:50")], False),
        ([("04:01", "20:00")], True),
        ([("04:01", "20:00"), ("04:01", "20:00"), ("04:01", "20:00"), ("04:01", "20:00"), ("04:01", "17:00")], True),
        ([("04:00", "19:59")], False),
        ([("04:01", "19:59")], False),
        ([("04:01", "16:00")], False),
        ([("09:31", "13:00")], False),
        ([("14:01", "16:00")], True),
        ([("11:15", "16:00"), ("09:31", "16:00")], True),
        ([("11:15", "20:00"), ("04:01", "20:00")], True),
        ([("14:00", "15:59"), ("09:30", "15:59")], False),
        ([("09:30", "16:00"), ("09:31", "16:00")], False),
    ],
)
def test_minutes_with_the_time_of_their_end_are_refused(
    hours: list[tuple[str, str]], is_refused: bool, tmp_path: Path
) -> None:
    """MD-08: every trade would be a minute late, and the last bar of a session one of after it"""
    days = (date(2024, 1, 2) + timedelta(days=number) for number in range(len(hours)))
    rows = [row for day, (first, last) in zip(days, hours, strict=True) for row in a_session(first, last, day)]
    path = tmp_path / "bars.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n")

    assert fault_of(path) == (FileFault.LABELS if is_refused else None)


@pytest.mark.parametrize("symbol", ["AIG", "BAC", "IBM", "SPY"])
@pytest.mark.parametrize("is_by_end", [False, True])
def test_recorded_extended_hours_show_their_labels(symbol: str, is_by_end: bool, tmp_path: Path) -> None:
    """MD-08: also from after their begin to before their end, and where few of their minutes trade"""
    rows = pd.read_csv(minutes_of(symbol), dtype=str)
    times = pd.to_datetime(rows["timestamp"]).dt.tz_convert(NEW_YORK)
    kept = rows[times.dt.hour.between(7, 17)].assign(timestamp=times + pd.Timedelta(minutes=int(is_by_end)))
    path = tmp_path / "bars.csv"
    kept.to_csv(path, index=False)

    assert fault_of(path) == (FileFault.LABELS if is_by_end else None)


@pytest.mark.parametrize(("day", "is_refused"), [(date(2024, 7, 2), False), (date(2024, 7, 3), True)])
def test_one_o_clock_is_a_close_on_a_half_day_alone(day: date, is_refused: bool, tmp_path: Path) -> None:
    """MD-08: by the calendar"""
    path = tmp_path / "bars.csv"
    path.write_text("\n".join((HEADER, *a_session("09:31", "13:00", day))) + "\n")

    assert fault_of(path) == (FileFault.LABELS if is_refused else None)


@pytest.mark.parametrize(("volume", "outcome"), [("0", FileFault.VOLUME), ("0.0", FileFault.VOLUME), ("1", None)])
def test_a_file_without_volume_names_the_other_column(volume: str, outcome: FileFault | None, tmp_path: Path) -> None:
    """MD-08: nothing trades in such bars, and fifteen orders said nothing"""
    path = tmp_path / "bars.csv"
    path.write_text("\n".join((HEADER, *a_session("09:30", "10:30", volume=volume))) + "\n")

    assert fault_of(path) == outcome
    if outcome is not None:
        with pytest.raises(TableError, match="tickvol"):
            read_bars(path, SPY)


def test_days_without_volume_are_refused_too(tmp_path: Path) -> None:
    """MD-08"""
    path = tmp_path / "days.csv"
    rows = [f"{date(2024, 1, 2) + timedelta(days=n)},470,471,469,470.5,0" for n in range(3)]
    path.write_text("\n".join(("date,open,high,low,close,volume", *rows)) + "\n")

    with pytest.raises(TableError) as refused:
        read_days(path, SPY)
    assert refused.value.fault is FileFault.VOLUME


def written_days(*days: str, volume: str = "1000") -> str:
    return "\n".join(("date,open,high,low,close,volume", *(f"{day},10,11,9,10.5,{volume}" for day in days))) + "\n"


FOREIGN = {
    "a broker's times": f"{HEADER}\n" + "".join(f"20131008 09:{n}:00 US/Eastern,1,2,1,2,5,0\n" for n in range(30, 42)),
    "twelve hours": f"{HEADER}\n" + "".join(f"2013-10-08 09:{n} AM,1,2,1,2,5,0\n" for n in range(30, 42)),
    "month first": written_days(*(f"11/{n}/2013" for n in range(12, 20))),
    "day first": written_days(*(f"{n}.11.13" for n in range(12, 20))),
    "either first": written_days(*(f"11/{n:02}/2013" for n in range(1, 9))),
    "year first": written_days(*(f"2026.06.{n:02}" for n in range(1, 9))),
    "a month's name": written_days(*(f"{n}-Nov-13" for n in range(12, 20))),
    "a spreadsheet's days": written_days(*(str(41_560 + n) for n in range(8))),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_time_says_what_to_write(name: str, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """MD-08: with row and column"""
    path = tmp_path / "bars.csv"
    path.write_text(FOREIGN[name])
    with pytest.raises(TableError) as refused:
        (read_days if is_daily(path) else read_bars)(path, SPY)

    assert str(refused.value).removeprefix(str(path)) == snapshot


@pytest.mark.parametrize("when", ["2024/01/02T09:30:00Z", "01/02/2024T09:30", "2024.01.02_09:30", "01/02/2024Z"])
def test_a_foreign_date_with_anything_behind_it_is_refused(when: str, tmp_path: Path) -> None:
    """MD-08: in the first row, and in a later one"""
    path = tmp_path / "bars.csv"
    path.write_text(f"{HEADER}\n{when},1,2,1,2,5,0\n")
    with pytest.raises(TableError) as refused:
        read_bars(path, SPY)
    assert refused.value.fault is FileFault.DATE

    good = "".join(f"2024-01-02T14:{n}:00Z,10,11,9,10.5,1000,1\n" for n in range(30, 40))
    path.write_text(f"{HEADER}\n{good}{when},10,11,9,10.5,1000,1\n")
    assert isinstance([*read_bars(path, SPY)][-1], BrokenRow)


@pytest.mark.parametrize("ending", ["zip", "xlsx"])
def test_a_packed_file_is_named(ending: str, tmp_path: Path) -> None:
    """MD-08"""
    path = tmp_path / f"bars.{ending}"
    with ZipFile(path, "w") as packed:
        packed.writestr("bars.csv", written_days("2024-01-02"))
    with pytest.raises(TableError, match="zip file or a spreadsheet") as refused:
        read_bars(path, SPY)

    assert refused.value.fault is FileFault.FILE


@table(
    "number column write",
    ("525,757", "volume", "525757"),
    ("1,234.5", "open", "1234.5"),
    ("1.234,5", "open", "1234.5"),
    ("165,25", "open", "165.25"),
    ("165,250", "open", "165250 or 165.250"),
    ("1 234 567", "volume", "1234567"),
    ("$525.75", "open", "525.75"),
    ("1.25M", "volume", "1250000"),
    ("98,5K", "volume", "98500"),
    ("4_70.5", "open", ""),
    ("nan", "open", ""),
)
def test_a_foreign_number_says_what_it_may_mean(number: str, column: str, write: str) -> None:
    """MD-08: a comma in a price may begin its cents"""
    found = number_trouble(number, column, is_whole=column == "volume")

    assert (found.write, found.fault) == (write, FileFault.NUMBER if write else FileFault.VALUE)


def test_a_grouped_number_says_how_to_write_it(tmp_path: Path) -> None:
    """MD-08"""
    path = tmp_path / "bars.csv"
    path.write_text(
        f'{HEADER}\n2024-01-02T14:30:00Z,10,11,9,10.5,1000,1\n2024-01-02T14:31:00Z,10,11,9,10.5,"525,757",1\n'
    )

    _, broken = read_bars(path, SPY)
    assert isinstance(broken, BrokenRow)
    assert broken.reason == "volume '525,757' is not a number; write 525757"
