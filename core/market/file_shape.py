"""The shape of a file of bars: its columns, the format and zone of its times, the period of its rows (MD-08).

The exports of brokers and vendors are recognised by the names of their columns. What can be read in more than one way
is refused with the row, the column and what to do, and is never guessed: a time without a zone, 01/02/2024, bars of
another length than a minute or a day, several symbols, newest first.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.files.csv_files import FIRST_ROW, FileFault, Row, Table, TableError, shown
from core.market.foreign_values import SLASHED, date_trouble
from core.model.instrument import capitals, symbol_in
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.model.values import Symbol, plain
from core.ports import OperatorError

FIGURES = ("open", "high", "low", "close", "volume")
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    "open": ("o", "1. open", "<open>"),
    "high": ("h", "2. high", "<high>"),
    "low": ("l", "3. low", "<low>"),
    "close": ("c", "4. close", "<close>", "close/last"),
    "volume": ("v", "vol", "vol.", "5. volume", "6. volume", "<vol>"),
}
"""Column names of Polygon, Alpha Vantage, stooq, Nasdaq and others."""
WHEN = ("timestamp", "datetime", "ts_event", "window_start", "t", "date", "<date>", "time", "", "__index_level_0__")
"""Column names for a row's time, the most reliable first; pandas may leave its index without a name."""
CLOCKS = ("time", "<time>")
"""A time of day beside a column of dates."""
SYMBOLS = ("symbol", "ticker", "<ticker>", "act_symbol")
MIDNIGHT = re.compile(r"[0:.]*")
EPOCHS: Mapping[int, int] = {9: 1, 10: 1, 12: 10**3, 13: 10**3, 15: 10**6, 16: 10**6, 18: 10**9, 19: 10**9}
"""Digits of a Unix timestamp, and its units per second: in the accepted years no two overlap."""
COMPACT = re.compile(r"((?:19|20)[0-9]{6})([0-9]{4}(?:[0-9]{2})?)")
"""`202401020930`, `20240102093000`: as milliseconds such a number would be of before the accepted years."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND, A_MINUTE = timedelta(seconds=1), 60
A_DAY_APART = timedelta(hours=20)
"""Less than any gap between daily bars, even when the clocks change or around a half day."""
A_WEEK_APART = timedelta(days=5)
"""Less than any gap between weekly bars; between daily bars there are at most four nights."""
FEWEST_GAPS = 3
"""Gaps needed to determine the length of bars: two traded minutes may be any distance apart."""
STEADY_GAP, STEADY = timedelta(minutes=3), 10
"""Equal gaps of at least so long, and so many in a row, are longer bars: a symbol that trades now and then has no such
rhythm. (Of trades in any minute with the same chance, ten such gaps begin at five of a billion.)
"""
LOOKED_AT = 6
"""Lines read to determine the kind of a file's bars."""
RAW_UNIT = 1_000_000_000
"""The factor of Databento's raw prices; no share costs as much."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The columns of a file's bars; `clock` and `symbol` are None if it has none."""

    when: int
    figures: tuple[int, ...]
    clock: int | None
    symbol: int | None

    @property
    def columns(self) -> tuple[int, ...]:
        return (self.when, *self.figures)


def shape_of(table: Table) -> Shape:
    """Find the columns by their names. Raises `TableError`."""
    found: dict[str, int] = {}
    for figure in FIGURES:
        names = [name for name in (figure, *OTHER_NAMES[figure]) if name in table.header]
        if names:
            found[figure] = table.columns(names[:1])[0]
    whens = [name for name in WHEN if name in table.header]
    missing = [*([] if whens else ["timestamp"]), *(figure for figure in FIGURES if figure not in found)]
    if table.header[0] == "price" and table.rows and table.rows[0][:1] in (["Ticker"], ["ticker"]):
        raise TableError(
            f"{table.path}:1: three lines of header, as yfinance writes them; "
            "download with multi_level_index=False, or keep one line: Date,Close,High,Low,Open,Volume",
            FileFault.HEADER,
            line=1,
            write="Date,Close,High,Low,Open,Volume",
        )
    if missing:
        raise table.lacks(missing, (whens[0] if whens else "timestamp", *FIGURES))
    when = table.columns(whens[:1])[0]
    clocks = [name for name in CLOCKS if name in table.header and name != table.header[when]]
    is_of_dates = table.header[when] in ("date", "<date>")
    symbols = [name for name in SYMBOLS if name in table.header]
    return Shape(
        when,
        tuple(found[figure] for figure in FIGURES),
        table.header.index(clocks[0]) if clocks and is_of_dates else None,
        table.header.index(symbols[0]) if symbols else None,
    )


def require_volume(table: Table, shape: Shape, rows: int) -> None:
    """Refuse a file of so many rows whose volume is zero in each. Raises `TableError`."""
    if rows < FEWEST_GAPS:
        return
    name = table.header[shape.figures[-1]]
    others = [other for other in table.header if "vol" in other and other != name]
    instead = f"; {others[0]} has figures: name that column volume if it counts shares" if others else ""
    raise TableError(
        f"{table.path}:{FIRST_ROW}: {name} is 0 in every row, and nothing trades where there is no volume{instead}",
        FileFault.VOLUME,
        line=FIRST_ROW,
        column=name,
    )


def is_of_days(table: Table) -> bool:
    """Return whether its rows are daily: dates, midnights, or a day apart. Raises `TableError`."""
    shape = shape_of(table)
    texts = [row[shape.when].strip() for row in table.rows if shape.when < len(row)]
    clocks = [row[shape.clock] for row in table.rows if shape.clock is not None and shape.clock < len(row)]
    if any(not MIDNIGHT.fullmatch(clock.strip()) for clock in clocks):
        return False
    slashed = [SLASHED.fullmatch(text) is not None for text in texts]
    if any(slashed):
        return all(slashed)
    times = [time for text in texts if (time := instant_in(text)) is not None]
    if not times:
        return table.header[shape.when] in ("date", "<date>")
    dates = [":" not in text and len(text) <= len("2024-01-02") and len(text) not in EPOCHS for text in texts]
    if all(dates):
        return True
    if len(times) == 1 and table.header[shape.when] in ("date", "<date>"):
        return not (times[0].hour or times[0].minute)
    return len(times) > 1 and all(abs(later - earlier) >= A_DAY_APART for earlier, later in pairwise(_in_zone(times)))


def _in_zone(times: Sequence[datetime]) -> Iterator[datetime]:
    return (time.replace(tzinfo=UTC) if time.tzinfo is None else time for time in times)


def instant_in(text: str) -> datetime | None:
    """Parse ISO 8601, with or without a zone, `202401020930`, or a Unix timestamp in s, ms, µs or ns; None if none."""
    try:
        if match := COMPACT.fullmatch(text):
            return datetime.fromisoformat("T".join(match.groups()))
        if len(text) > len("20240102") and text.isdecimal() and text.isascii():
            unit = EPOCHS.get(len(text))
            return None if unit is None else EPOCH + timedelta(microseconds=int(text) * 1_000_000 // unit)
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None


def symbol_in_column(table: Table) -> Symbol | None:
    """Return the symbol in the first row, if there is a column for it. Raises `TableError`."""
    column = shape_of(table).symbol
    texts = [row[column] for row in table.rows[:1] if column is not None and column < len(row)]
    return symbol_in(texts[0].strip()) if texts else None


def of_one_symbol(table: Table, rows: Iterable[Row], shape: Shape, symbol: Symbol) -> Iterator[Row]:
    """Yield the rows; refuse them at the first whose symbol column has another symbol. Raises `TableError`."""
    if shape.symbol is None:
        yield from rows
        return
    name = table.header[shape.symbol]
    for line, row in enumerate(rows, FIRST_ROW):
        said = row[shape.symbol].strip() if shape.symbol < len(row) else ""
        if said and capitals(said) != symbol:
            raise TableError(
                f"{table.path}:{line}: {name} {shown(said)}, and {symbol} is played; "
                f"keep the rows of one symbol in a file, and call it {symbol} there or leave the column out",
                FileFault.SYMBOL,
                line=line,
                column=name,
                write=symbol,
            )
        yield row


def require_one_reading(table: Table, shape: Shape) -> None:
    """Refuse dates with slashes and raw prices at the first row: nearly all rows have them. Raises `TableError`."""
    for line, row in enumerate(islice(table.rows, LOOKED_AT), FIRST_ROW):
        if max(shape.columns) >= len(row):
            continue
        place, text, name = f"{table.path}:{line}", row[shape.when].strip(), table.header[shape.when] or "the index"
        if SLASHED.match(text):
            texts = (row[shape.when].strip() for row in table.rows if shape.when < len(row))
            found = date_trouble(text, texts, name)
            raise TableError(f"{place}: {found.words}", found.fault, line=line, column=name, write=found.write)
        opened = row[shape.figures[0]].strip()
        if opened.isdecimal() and int(opened) >= RAW_UNIT:
            raise TableError(
                f"{place}: open {shown(opened)} is in milliardths, as Databento writes prices; export with pretty_px, "
                f"or write {(price := plain(Decimal(opened) / RAW_UNIT))}",
                FileFault.NUMBER,
                line=line,
                column=table.header[shape.figures[0]],
                write=price,
            )


def require_zone(table: Table, shape: Shape) -> None:
    """Refuse times without a zone: guessing one would move every bar. Raises `TableError`."""
    name = table.header[shape.when] or "the index"
    rows = [row for row in table.rows[:LOOKED_AT] if max(shape.columns) < len(row)]
    if rows and shape.clock is not None:
        day, clock = (shown(rows[0][column].strip()) for column in (shape.when, shape.clock))
        raise TableError(
            f"{table.path}:{FIRST_ROW}: {name} {day} and time {clock} have no zone; "
            f"name it by --zone {HOME.zone.key}, or write both as one timestamp, as 2024-01-02T09:30:00-05:00",
            FileFault.ZONE,
            line=FIRST_ROW,
            column=table.header[shape.clock],
            write=f"--zone {HOME.zone.key}",
        )
    times = [time for row in rows if (time := instant_in(row[shape.when])) is not None]
    if times and all(time.tzinfo is None for time in times):
        raise TableError(
            f"{table.path}:{FIRST_ROW}: {name} {shown(rows[0][shape.when])} has no zone; name it by "
            f"--zone {HOME.zone.key}, or write it behind each time, as 2024-01-02T14:30:00Z for UTC",
            FileFault.ZONE,
            line=FIRST_ROW,
            column=name,
            write=f"--zone {HOME.zone.key}",
        )


class RowTimes:
    """The times, or days, of a file's readable rows as they are read: their order, and the gaps between them."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._last: date | None = None
        self._many = self._with_seconds = 0
        self._gaps: dict[timedelta, int] = {}
        self._is_falling = True
        self._fault: tuple[int, str, bool] | None = None
        self._gap, self._steady = timedelta(0), 0
        self._longer: tuple[int, timedelta] | None = None

    def add(self, index: int, time: date, text: str, *, has_seconds: bool = False) -> None:
        """Add the time of the row with this index, and its text."""
        self._many += 1
        self._with_seconds += has_seconds
        last, self._last = self._last, time
        if last is None:
            return
        gap = time - last
        self._gaps[gap] = self._gaps.get(gap, 0) + 1
        if gap == self._gap and gap >= STEADY_GAP:
            self._steady += 1
            if self._steady == STEADY and self._longer is None:
                self._longer = index - STEADY + 1, gap
        else:
            self._gap, self._steady = gap, 1
        if time >= last:
            self._is_falling = False
        if time <= last and self._fault is None:
            self._fault = index, text, time == last

    def require_order(self, unit: str) -> None:
        """Refuse rows that are not in the order of their times, at the first. Raises `TableError`."""
        if self._fault is None:
            return
        index, text, is_repeated = self._fault
        row = f"{self._path}:{index + FIRST_ROW}: {shown(text.strip())}"
        if self._is_falling and self._many >= FEWEST_GAPS:  # two rows show no order
            raise TableError(
                f"{row} is earlier than the row before it, and so to the end: the newest stands first; "
                "turn the rows round, as (head -n 1 FILE; tail -n +2 FILE | tac) > NEW does",
                FileFault.NEWEST_FIRST,
                line=index + FIRST_ROW,
                column=self._column,
            )
        how = "repeats the row before it" if is_repeated else "is earlier than the row before it"
        words = f"{row} {how}; sort the file by time and keep one row a {unit}"
        raise TableError(words, FileFault.ORDER, line=index + FIRST_ROW, column=self._column)

    def require_minutes(self) -> None:
        """Refuse bars that are not one minute long, by the usual gap or the common divisor. Raises `TableError`."""
        if self._many <= FEWEST_GAPS:
            return
        gaps = Counter[int]()
        for gap, many in self._gaps.items():
            gaps[gap // SECOND] += many
        usual, many = max(gaps.items(), key=lambda item: (item[1], -item[0]))
        finest = math.gcd(*gaps)
        length = usual if 2 * many >= gaps.total() else finest
        if finest % A_MINUTE == 0:
            length = max(length, finest)
        index = 1
        if length == A_MINUTE or (length % A_MINUTE and 2 * self._with_seconds < self._many):
            if self._longer is None:
                return
            index, gap = self._longer
            length = gap // SECOND
        words = f"{length // A_MINUTE} minutes" if length % A_MINUTE == 0 else f"{length} s"
        raise TableError(
            f"{self._path}:{FIRST_ROW + index}: its bars are {words} apart; bars of one minute or of one day are "
            "played: export those",
            FileFault.BAR_LENGTH,
            line=FIRST_ROW + index,
            column=self._column,
        )

    def require_days(self) -> None:
        """Refuse bars of weeks or months. Raises `TableError`."""
        if self._many > FEWEST_GAPS and min(self._gaps) >= A_WEEK_APART:
            raise TableError(
                f"{self._path}:{FIRST_ROW + 1}: its bars are weeks apart; bars of one minute or of one day are played: "
                "export those",
                FileFault.BAR_LENGTH,
                line=FIRST_ROW + 1,
                column=self._column,
            )


# ── times with a zone ────────────────────────────────────────────────────────────────────────────────────────────────
# Times without a zone, read in the zone that the operator names for a file (MD-08).
#
# Nothing is guessed: a time that a change of the clocks leaves out, or that it repeats, is refused with its line.


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of a name of the IANA database. Raises `OperatorError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise OperatorError(f"--zone {name}: there is no such time zone; write it as {HOME.zone.key}, or UTC") from None


def zoned(path: Path, rows: Iterable[Row], shape: Shape, zone: ZoneInfo) -> Iterator[Row]:
    """Yield the rows with the UTC of each one's time in its column; one that cannot be read stays as it is.

    Raises `TableError`.
    """
    needed = max(*shape.columns, shape.clock or 0)
    for line, row in enumerate(rows, FIRST_ROW):
        if needed < len(row):
            text = row[shape.when].strip()
            if shape.clock is not None:
                text = f"{text} {row[shape.clock].strip()}"
            if shape.clock is not None:
                row[shape.when] = text
            if (time := instant_in(text)) is not None:
                with suppress(OverflowError):  # at either end of the calendar: no bar is of that year
                    row[shape.when] = _utc_of(time, zone, path, line, text).isoformat()
        yield row


def _utc_of(time: datetime, zone: ZoneInfo, path: Path, line: int, text: str) -> datetime:
    """Return the only instant of a local time. Raises `TableError`."""
    if time.tzinfo is not None:
        raise _zone_refusal(path, line, text, f"has its zone already; leave out --zone {zone.key}")
    instants = {time.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    if all(each.astimezone(zone).replace(tzinfo=None) != time for each in instants):
        raise _zone_refusal(path, line, text, f"does not exist in {zone.key}: the clocks went forward; write UTC")
    if len(instants) > 1:
        raise _zone_refusal(path, line, text, f"happens twice in {zone.key}: the clocks went back; write UTC")
    return instants.pop()


def _zone_refusal(path: Path, line: int, text: str, words: str) -> TableError:
    return TableError(f"{path}:{line}: time {shown(text)} {words}", FileFault.ZONE, line=line)
