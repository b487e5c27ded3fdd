"""The operator's CSV files: the reader with places of faults, daily figures, closed trades.

An operator's file, or a source's answer, is accepted as a whole or not at all: a history with a gap has different
averages.

The trades table of a backtest is accepted too.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from core.files.parquet import ENDINGS, ParquetError, parquet_lines
from core.files.regular_file import OddFileError, TooLargeError, bytes_of, reading
from core.model.instrument import ANY_SHARE, small_letters, symbol_in
from core.model.lazy_dataclass import dataclass
from core.model.signal import ExitReason
from core.model.sizing import DailyBar, DailyValue
from core.model.values import Price, number_in
from core.ports import OperatorError
from core.risk.protections.closed_trades import ClosedTrade, Direction, ratio_of

FIRST_ROW = 2
"""The line number of the first row; the header is line 1."""
LONGEST_SHOWN = 40
LARGEST = 1 << 30
"""The maximum size of a file in bytes; twenty years of minutes are a tenth of it."""
A_FOLDER = "is a folder; name one CSV file in it"
PACKED = b"\x1f\x8b"
"""The first bytes of a gzip file."""
ZIPPED = b"PK\x03\x04"
"""The first bytes of a zip file, and of a spreadsheet."""
A_ZIP = "is a zip file or a spreadsheet: unpack it, or save its sheet as CSV in UTF-8"
OF_A_ZIP = frozenset({".zip", ".xlsx", ".xlsm", ".ods"})
OTHER_SEPARATORS = ";\t|"
Row = list[str]


class FileFault(StrEnum):
    """Why a file cannot be used (MD-08)."""

    FILE = "file"
    """It cannot be opened, or is no text."""
    HEADER = "header"
    """Its first line names no columns, or it has several such lines."""
    SEPARATOR = "separator"
    COLUMN = "column"
    """One is missing, or is there twice."""
    VALUE = "value"
    """A row, or a value, that cannot be read."""
    NUMBER = "number"
    DATE = "date"
    """Day and month may be changed over."""
    ZONE = "zone"
    ORDER = "order"
    NEWEST_FIRST = "newest_first"
    BAR_LENGTH = "bar_length"
    LABELS = "labels"
    """Each bar has the time of its end."""
    VOLUME = "volume"
    """It is zero in every row."""
    SYMBOL = "symbol"
    UNREADABLE = "unreadable"
    """More than one row in a hundred."""


class TableError(OperatorError):
    """A file that cannot be used; the message names file and line, and a remedy.

    Attributes
    ----------
    line, column
        Where the fault is: the line's number from 1, 0 for the file as a whole, and the column's name in the file.
    write
        What to write in its place; empty where that is not known.
    """

    def __init__(
        self, words: str, fault: FileFault = FileFault.VALUE, *, line: int = 0, column: str = "", write: str = ""
    ) -> None:
        super().__init__(words)
        self.fault, self.line, self.column, self.write = fault, line, column, write


def text_of(path: Path, largest: int = LARGEST) -> str:
    """Return the text of a regular file of at most `largest` bytes. Raises `TableError`."""
    with _as_table_errors(path, largest):
        return bytes_of(path, largest).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a regular file, text or Parquet, as they are read, each with its end. Raises `TableError`."""
    with _as_table_errors(path, LARGEST), reading(path, LARGEST) as file:
        if path.suffix.lower() in OF_A_ZIP:
            raise TableError(f"{path}: {A_ZIP}", FileFault.FILE)
        if path.suffix.lower() in ENDINGS:
            yield from parquet_lines(file)
        else:
            yield from io.TextIOWrapper(file, encoding="utf-8-sig")


@contextmanager
def _as_table_errors(path: Path, largest: int) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise TableError(f"{path}: no such file; check the path", FileFault.FILE) from None
    except IsADirectoryError:
        raise TableError(f"{path}: {A_FOLDER}", FileFault.FILE) from None
    except PermissionError:
        raise TableError(f"{path}: may not be read; check its permissions", FileFault.FILE) from None
    except OddFileError:
        raise TableError(f"{path}: is no regular file; name a CSV file", FileFault.FILE) from None
    except TooLargeError:
        size = path.stat().st_size
        raise TableError(
            f"{path}: has {size:,} bytes, {largest:,} at most are read; split the file", FileFault.FILE
        ) from None
    except ParquetError as error:
        raise TableError(f"{path}: {error}", FileFault.FILE) from None
    except UnicodeDecodeError as error:
        if error.object[: len(ZIPPED)] == ZIPPED:
            raise TableError(f"{path}: {A_ZIP}", FileFault.FILE) from None
        if error.object[: len(PACKED)] == PACKED:
            raise TableError(f"{path}: is packed; unpack it with `gunzip`", FileFault.FILE) from None
        raise TableError(f"{path}: is not UTF-8 text; save it as CSV in UTF-8", FileFault.FILE) from None
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror or error}", FileFault.FILE) from None


@dataclass(frozen=True, slots=True)
class Record:
    """A row by column name, its values without surrounding spaces."""

    place: str
    fields: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Return a value; empty if the file has no such column."""
        return self.fields.get(name, "")

    def fault(self, name: str, words: str, kind: FileFault = FileFault.VALUE) -> TableError:
        """Return the error for a value: place, column, the value itself, and the reason."""
        return TableError(f"{self.place}: {name} {shown(self[name])} {words}", kind)

    def number(self, name: str, such_as: str) -> Decimal:
        """Parse a number in plain digits. Raises `TableError`."""
        number = number_in(self[name])
        if number is None:
            raise self.fault(name, f"is no number such as {such_as}", FileFault.NUMBER)
        return number


class Table:
    """A header and rows, one per line; empty lines at the end are ignored.

    `unit` names the content of a row; `may_be_none` accepts a header alone. Raises `TableError`.

    Attributes
    ----------
    header
        The names of the columns, in lower case.
    rows
        The first is line 2 of the file.
    is_whole
        Whether the last line is complete.
    """

    def __init__(self, path: Path, text: str, unit: str, *, may_be_none: bool = False) -> None:
        self.path, self.is_whole = path, text.endswith("\n")
        if not text.strip():
            raise TableError(f"{path}: is empty; give it a header line and one row for each {unit}")
        header, *self.rows = rows_in(path, text.rstrip("\n").split("\n"))
        self.header = names_in(header)
        if not self.header:
            raise TableError(f"{path}:1: is blank; delete the blank lines before the header", FileFault.HEADER, line=1)
        if not self.rows and not may_be_none:
            raise no_row(path, unit)

    def columns(self, names: Sequence[str]) -> list[int]:
        """Return the index of each column. Raises `TableError`."""
        if missing := [name for name in names if name not in self.header]:
            raise self.lacks(missing, names)
        if twice := [name for name in names if self.header.count(name) > 1]:
            words = f"{self.path}:1: the column {', '.join(twice)} is there twice; keep one of them"
            raise TableError(words, FileFault.COLUMN, line=1, column=",".join(twice))
        return [self.header.index(name) for name in names]

    def lacks(self, missing: Sequence[str], names: Sequence[str]) -> TableError:
        """Return the error of a header without the columns `missing`, of those that it must name."""
        fault = self._header_fault
        what = f"no column {', '.join(missing)} among" if fault is not FileFault.HEADER else "no column's name in"
        return TableError(
            f"{self.path}:1: {what} {shown(','.join(self.header))}; "
            f"the first line must name {','.join(names)}, separated by commas",
            fault,
            line=1,
            column=",".join(missing) if fault is FileFault.COLUMN else "",
            write=",".join(names),
        )

    def why_too_long(self, row: Row) -> str:
        """Return why a row has too many fields, as after a comma within a number; empty if it does not."""
        beyond = len(row) > len(self.header) and any(map(str.strip, row[len(self.header) :]))
        return f"the line has {len(row)} fields, the header {len(self.header)}" if beyond else ""

    @property
    def _header_fault(self) -> FileFault:
        """Return the fault of a first line that lacks names: it may be a row, or have other separators."""
        if len(self.header) == 1 and any(mark in self.header[0] for mark in OTHER_SEPARATORS):
            return FileFault.SEPARATOR
        return FileFault.HEADER if any(number_in(name) is not None for name in self.header) else FileFault.COLUMN

    def records(self, names: Sequence[str]) -> Iterator[Record]:
        """Yield each row with these columns. Raises `TableError` at the first that lacks one."""
        columns = self.columns(names)
        for line, row in enumerate(self.rows, FIRST_ROW):
            place = f"{self.path}:{line}"
            if too_long := self.why_too_long(row):
                raise TableError(f"{place}: {too_long}; take the comma out of a number, or quote it")
            if max(columns) >= len(row):
                raise TableError(f"{place}: the line has {len(row)} fields, {max(columns) + 1} are needed; complete it")
            yield Record(place, {name: row[column].strip() for name, column in zip(names, columns, strict=True)})


def rows_in(path: Path, lines: Iterable[str]) -> Iterator[Row]:
    """Yield the row of each line, the header first; empty lines at the end are left out. Raises `TableError`."""
    reader = csv.reader(lines, skipinitialspace=True)
    many = empty = 0
    try:
        for row in reader:
            many += 1
            if reader.line_num != many:
                raise TableError(f"{path}:{many}: a quotation mark is not closed on its line; fix the line")
            if not row:
                empty += 1
                continue
            while empty:
                empty -= 1
                yield []
            yield row
    except csv.Error as error:
        raise TableError(f"{path}:{many + 1}: is not CSV ({error}); fix the line") from None


def no_row(path: Path, unit: str) -> TableError:
    """Return the error of a file with a header alone."""
    return TableError(f"{path}:1: there is a header and no row after it; give it one row for each {unit}")


class FileRows:
    """The rows after a file's header, read anew each time; `is_whole` is whether the last line read is complete.

    Raises `TableError` while they are read, also if the header is not `header` any more: the file was replaced.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._path, self._header, self.is_whole = path, header, True

    def __iter__(self) -> Iterator[Row]:
        rows = rows_in(self._path, self._lines())
        if names_in(next(rows, [])) != self._header:
            raise TableError(f"{self._path}: was replaced while it was read; run the command again", FileFault.FILE)
        return rows

    def _lines(self) -> Iterator[str]:
        line = ""
        for line in lines_of(self._path):
            yield line
        self.is_whole = line.endswith("\n")


def names_in(header: Row) -> list[str]:
    """Return the names of columns as they are looked up."""
    return [name.strip().lower() for name in header]


def shown(text: str) -> str:
    """Quote external text without control characters and shortened: `'symbol;side…'`."""
    if len(text) <= LONGEST_SHOWN:
        return ascii(text)
    begin = ascii(text[:LONGEST_SHOWN])
    return f"{begin[:-1]}…{begin[-1]}"


BAR_COLUMNS = ("date", "high", "low", "close")
VALUE_COLUMNS = ("date", "close")
LARGEST_PRICE = Decimal(10_000_000)
LARGEST_INDEX = Decimal(200)
"""Points: the VIX's highest close is 82.69."""
VOLUME_COLUMNS = frozenset({"volume", "vol", "vol."})
NOT_THE_VIX = "give the VIX's own history"
SLASHED = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
"""Month/day/year, the exchange's own format; used if the file shows that it is that."""
MONTHS = 12
A_LEVEL = "18.70"
"""An example of a figure."""
_Item = TypeVar("_Item", DailyBar, DailyValue)


def read_daily_bars(path: Path) -> list[DailyBar]:
    """Return every bar of a file, in order of time. Raises `TableError` at the first invalid row."""
    return _read(Table(path, text_of(path), "day"), BAR_COLUMNS, _bar)


def read_daily_values(path: Path) -> list[DailyValue]:
    """Return every VIX value of a file, like `read_daily_bars`. Prices of traded symbols are refused."""
    return daily_values(path, text_of(path))


def daily_values(name: Path, text: str) -> list[DailyValue]:
    """Return the VIX values of a text; `name` is used in errors. Raises `TableError`."""
    table = Table(name, text, "day")
    _require_no_volumes(table)
    return _read(table, VALUE_COLUMNS, _value)


def _require_no_volumes(table: Table) -> None:
    """Refuse volumes: an index has none, so its column is empty or zero. Raises `TableError`."""
    columns = [index for index, name in enumerate(table.header) if name in VOLUME_COLUMNS]
    for line, row in enumerate(table.rows, FIRST_ROW):
        for text in (row[column].strip() for column in columns if column < len(row)):
            if any(digit in "123456789" for digit in text):
                found = Record(f"{table.path}:{line}", {"volume": text})
                raise found.fault("volume", f"is a share's, the VIX has none; {NOT_THE_VIX}")


def _read(table: Table, names: tuple[str, ...], item_of: Callable[[Record, date], _Item]) -> list[_Item]:
    items: list[_Item] = []
    last: date | None = None
    _require_month_first(table)
    for row in table.records(names):
        day = _date(row)
        if last is not None and day <= last:
            raise row.fault("date", f"is not after {last}; sort the file by date, one row a day")
        items.append(item_of(row, day))
        last = day
    return items


def _bar(row: Record, day: date) -> DailyBar:
    high, low, close = (Price(_price(row, name)) for name in BAR_COLUMNS[1:])
    if not low <= close <= high:
        raise row.fault("close", f"is not within {low} to {high}; fix the row")
    return DailyBar(day, high, low, close)


def _value(row: Record, day: date) -> DailyValue:
    close = row.number("close", A_LEVEL)
    if not is_of_the_vix(close):
        raise row.fault("close", f"is none of the VIX: above 0 and at most {LARGEST_INDEX}; {NOT_THE_VIX}")
    return DailyValue(day, close)


def is_of_the_vix(value: Decimal) -> bool:
    """Whether it is a possible close of the index."""
    return value.is_finite() and 0 < value <= LARGEST_INDEX


def _date(row: Record) -> date:
    found = SLASHED.fullmatch(row["date"])
    try:
        return date(int(found[3]), int(found[1]), int(found[2])) if found else date.fromisoformat(row["date"])
    except ValueError:
        raise row.fault("date", "is no day such as 2020-02-24", FileFault.DATE) from None


def _require_month_first(table: Table) -> None:
    """Refuse dates with slashes if no day above 12 shows the order. Raises `TableError`."""
    if "date" not in table.header:
        return
    column = table.header.index("date")
    found = [SLASHED.fullmatch(row[column].strip()) for row in table.rows if column < len(row)]
    pairs = [(int(each[1]), int(each[2])) for each in found if each is not None]
    if pairs and all(day <= MONTHS for _, day in pairs):
        raise TableError(
            f"{table.path}:{FIRST_ROW}: date {pairs[0][0]}/{pairs[0][1]} may name two days, and no row tells which; "
            "write the year first, as 2024-01-02",
            FileFault.DATE,
        )


def _price(row: Record, name: str) -> Decimal:
    price = row.number(name, A_LEVEL)
    if not 0 < price < LARGEST_PRICE:
        raise row.fault(name, f"is not above zero and under {LARGEST_PRICE:,}")
    return price


COLUMNS = ("open_time", "close_time", "symbol", "side", "profit_ratio", "exit_reason")
OF_A_BACKTEST = (
    "entry_time",
    "exit_time",
    "symbol",
    "entry_price",
    "exit_price",
    "quantity",
    "profit",
    "exit_reason",
)
"""The columns used of the trades table that `keyturn backtest --csv` writes."""
ELSEWHERE: Mapping[str, ExitReason] = {
    "stoploss_on_exchange": ExitReason.STOP_LOSS,
    "liquidation": ExitReason.STOP_LOSS,
    "trailing_stop_loss": ExitReason.TRAILING_STOP,
    "roi": ExitReason.TAKE_PROFIT,
    **dict.fromkeys(("exit_signal", "force_exit", "emergency_exit", "custom_exit"), ExitReason.MANUAL),
}
"""freqtrade's exit reasons mapped to ours; any other than a stop or a target is `MANUAL`."""
REASONS: Mapping[str, ExitReason] = {**{reason.value.lower(): reason for reason in ExitReason}, **ELSEWHERE}
YEARS = range(1900, 2200)
SMALLEST, LARGEST_HISTORY = Decimal(-1_000_000), Decimal(1_000_000)
"""The limits of a plausible ratio."""
MOST = Decimal(10) ** 12
"""The limit of any figure of a trade, in USD or shares."""


def read_trades(path: Path) -> list[ClosedTrade]:
    """Return every trade of a file, by closing time; a header alone is an empty history.

    Times have a zone, or are UTC.

    Raises
    ------
    TableError
        At the first invalid row: a history with a gap would trip too few protections.
    """
    table = Table(path, text_of(path), "trade", may_be_none=True)
    is_ours = "entry_time" in table.header
    read = _of_a_backtest if is_ours else _trade
    trades = [read(row) for row in table.records(OF_A_BACKTEST if is_ours else COLUMNS)]
    return sorted(trades, key=lambda trade: trade.closed_at)


def moment_of(text: str) -> datetime | None:
    """Parse an instant, UTC without a zone; None if invalid, or outside `YEARS`."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
        return moment if moment.year in YEARS else None
    except (ValueError, OverflowError):
        return None


def _trade(row: Record) -> ClosedTrade:
    if small_letters(row["side"]) not in set(Direction):
        raise row.fault("side", "must be long or short")
    ratio = row.number("profit_ratio", "-0.003")
    if not SMALLEST <= ratio <= LARGEST_HISTORY:
        raise row.fault("profit_ratio", "is no ratio such as -0.003")
    return _closed(row, "open_time", "close_time", Direction(small_letters(row["side"])), ratio)


def _of_a_backtest(row: Record) -> ClosedTrade:
    """Return a trade of a backtest.

    The ratio is profit to the amount paid or received; the side is the one that fits the profit.

    The table has no instrument: backtests trade shares.
    """
    first, last, quantity, profit = (_figure(row, name) for name in ("entry_price", "exit_price", "quantity", "profit"))
    staked, rise = ANY_SHARE.cost(quantity, first), ANY_SHARE.profit(quantity, first, last)
    if staked <= 0:
        raise row.fault("entry_price", f"and quantity {shown(row['quantity'])} must be above zero")
    direction = Direction.LONG if abs(profit - rise) <= abs(profit + rise) else Direction.SHORT
    return _closed(row, "entry_time", "exit_time", direction, profit / staked)


def _closed(row: Record, opened: str, closed: str, direction: Direction, ratio: Decimal) -> ClosedTrade:
    """Return a trade; `opened` and `closed` name its time columns. Raises `TableError`."""
    opened_at, closed_at = _moment(row, opened), _moment(row, closed)
    if closed_at < opened_at:
        raise row.fault(closed, f"is before {opened} {shown(row[opened])}; fix the row")
    symbol = symbol_in(row["symbol"])
    if symbol is None:
        raise row.fault("symbol", "is no symbol such as SPY")
    if small_letters(row["exit_reason"]) not in REASONS:
        raise row.fault("exit_reason", f"is not known; write one of {', '.join(REASONS)}")
    if not SMALLEST <= ratio <= LARGEST_HISTORY:
        raise TableError(f"{row.place}: a profit of {ratio:.3g} times what was staked cannot be; fix the row")
    return ClosedTrade(
        symbol=symbol,
        direction=direction,
        opened_at=opened_at,
        closed_at=closed_at,
        ratio=ratio_of(ratio),
        exit_reason=REASONS[small_letters(row["exit_reason"])],
    )


def _moment(row: Record, name: str) -> datetime:
    moment = moment_of(row[name])
    if moment is None:
        raise row.fault(name, "is no time such as 2026-11-20T14:31:00Z")
    return moment


def _figure(row: Record, name: str) -> Decimal:
    figure = row.number(name, "12.5")
    if abs(figure) >= MOST or (figure and abs(figure) <= 1 / MOST):
        raise row.fault(name, "is no number such as 12.5")
    return figure
