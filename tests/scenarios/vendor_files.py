"""Files of bars as vendors and brokers write them, made of real bars, and how pandas reads each.

Nothing of the product is imported here. A reader knows its vendor's form by hand: the columns, the clock and its zone,
the format of numbers, what stands before and after the rows. Prices and volumes stay exact.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import pandas as pd

from tests.data import days_of, minutes_of

NEW_YORK = "America/New_York"
FIGURES = ("open", "high", "low", "close", "volume")
OPENS = pd.Timedelta(hours=9, minutes=30)
MINUTE = pd.Timedelta(minutes=1)
NOW = pd.Timedelta(0)
Bars = pd.DataFrame
"""Columns `start` (UTC), the five figures as Decimals, `symbol`."""
Cell = Callable[["Row"], str]


@dataclass(frozen=True)
class Row:
    """A bar to be written; `volume` is a whole number, the prices as in the source."""

    start: pd.Timestamp
    open: str
    high: str
    low: str
    close: str
    volume: str

    @property
    def local(self) -> pd.Timestamp:
        return self.start.tz_convert(NEW_YORK)

    @property
    def ohlc(self) -> tuple[str, str, str, str]:
        return self.open, self.high, self.low, self.close

    @property
    def ohlcv(self) -> tuple[str, ...]:
        return (*self.ohlc, self.volume)


@dataclass(frozen=True)
class Vendor:
    """A form of file.

    Attributes
    ----------
    rows
        The bars that it has.
    written
        Returns the content of the file.
    read
        Reads them again, with pandas.
    name
        The name of the file, which begins with the symbol where the vendor's does.
    zone
        What the operator says of the file's clock; empty for nothing.
    """

    rows: tuple[Row, ...]
    written: Callable[[tuple[Row, ...]], bytes]
    read: Callable[[Path], Bars]
    name: str = "SPY_export.csv"
    zone: str = ""


# ── the bars ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def minutes_between(first: str, last: str) -> tuple[Row, ...]:
    """The minutes of SPY that began on a day from one time to another, of New York."""
    frame = pd.read_csv(minutes_of("SPY"), dtype=str)
    starts = pd.to_datetime(frame["timestamp"], utc=True)
    local = starts.dt.tz_convert(NEW_YORK).dt.strftime("%Y-%m-%d %H:%M")
    kept = frame[(local >= first) & (local <= last)]
    return tuple(Row(starts[at], *row) for at, row in zip(kept.index, kept[[*FIGURES]].to_numpy(), strict=True))


def days_between(first: str, last: str) -> tuple[Row, ...]:
    """The days of SPY, each with the open of its session."""
    frame = pd.read_csv(days_of("SPY"), dtype=str)
    kept = frame[(frame["date"] >= first) & (frame["date"] <= last)]
    starts = (pd.to_datetime(kept["date"]) + OPENS).dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")
    return tuple(Row(at, *row) for at, row in zip(starts, kept[[*FIGURES]].to_numpy(), strict=True))


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def text(
    header: str, *cells: Cell, separator: str = ",", newest_first: bool = False, before: str = "", after: str = ""
) -> Callable[[tuple[Row, ...]], bytes]:
    """Write a header, unless it is empty, and a line a row."""

    def written(rows: tuple[Row, ...]) -> bytes:
        lines = [separator.join(cell(row) for cell in cells) for row in rows]
        body = lines[::-1] if newest_first else lines
        return (
            "\n".join([*([before] if before else []), *([header] if header else []), *body]) + "\n" + after
        ).encode()

    return written


def at(form: str, *, shift: pd.Timedelta = NOW) -> Cell:
    """The start, on the clock of New York."""
    return lambda row: (row.local + shift).strftime(form)


def utc(form: str) -> Cell:
    return lambda row: row.start.strftime(form)


def midnight(form: str) -> Cell:
    """The midnight of New York before a day's session, by the clock of UTC; `%s` is its second since 1970."""

    def cell(row: Row) -> str:
        begins = row.local.normalize().tz_convert("UTC")
        return begins.strftime(form.replace("%s", str(int(begins.timestamp()))))

    return cell


def epoch(units_a_second: int) -> Cell:
    return lambda row: str(int(row.start.timestamp()) * units_a_second)


def the(name: str) -> Cell:
    return lambda row: str(getattr(row, name))


def said(text: str) -> Cell:
    return lambda _row: text


def as_(name: str, form: Callable[[str], str]) -> Cell:
    return lambda row: form(getattr(row, name))


O, H, L, C, V = (the(name) for name in FIGURES)  # noqa: E741
OHLC, OHLCV = (O, H, L, C), (O, H, L, C, V)


def packed_as_zip(written: Callable[[tuple[Row, ...]], bytes]) -> Callable[[tuple[Row, ...]], bytes]:
    def packed(rows: tuple[Row, ...]) -> bytes:
        with io.BytesIO() as file:
            with ZipFile(file, "w") as archive:
                archive.writestr("SPY.csv", written(rows))
            return file.getvalue()

    return packed


def in_encoding(encoding: str, written: Callable[[tuple[Row, ...]], bytes]) -> Callable[[tuple[Row, ...]], bytes]:
    return lambda rows: written(rows).decode().encode(encoding)


def gzipped(written: Callable[[tuple[Row, ...]], bytes]) -> Callable[[tuple[Row, ...]], bytes]:
    return lambda rows: gzip.compress(written(rows), mtime=0)


def grouped(number: str) -> str:
    return f'"{int(number):,}"'


def in_millions(number: str) -> str:
    return f"{Decimal(number).scaleb(-6):f}M"


def with_a_comma(number: str) -> str:
    return number.replace(".", ",")


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────

Times = Callable[[pd.DataFrame], pd.Series]


def reader(
    times: Times,
    columns: Mapping[str, object] | tuple[str, ...] = FIGURES,
    number: Callable[[str], Decimal] = Decimal,
    symbol: str = "",
    **how: object,
) -> Callable[[Path], Bars]:
    """Read a table whose figures stand in these columns; `symbol` is the column that names it."""

    def read(path: Path) -> Bars:
        rows = pd.read_csv(path, dtype=str, skipinitialspace=True, **how)  # type: ignore[call-overload]
        names = columns if isinstance(columns, Mapping) else dict(zip(FIGURES, columns, strict=True))
        found = pd.DataFrame({name: rows[column].map(number) for name, column in names.items()})[[*FIGURES]]
        found.insert(0, "start", times(rows))
        found["symbol"] = rows[symbol].str.removesuffix(".US") if symbol else "SPY"
        return found.sort_values("start", ignore_index=True)

    return read


def clock(form: str, *columns: object, zone: str = NEW_YORK, shift: pd.Timedelta = NOW) -> Times:
    """Local times in one column or two."""

    def times(rows: pd.DataFrame) -> pd.Series:
        text = rows[columns[0]].str.cat([rows[column] for column in columns[1:]], sep=" ")
        return pd.to_datetime(text, format=form).dt.tz_localize(zone).dt.tz_convert("UTC") + shift

    return times


def zoned(column: str) -> Times:
    return lambda rows: pd.to_datetime(rows[column], utc=True, format="ISO8601")


def since_1970(column: str, unit: str) -> Times:
    return lambda rows: pd.to_datetime(rows[column].astype("int64"), unit=unit, utc=True)


def day(form: str, column: object) -> Times:
    """Days, each at the open of its session."""

    def times(rows: pd.DataFrame) -> pd.Series:
        days = pd.to_datetime(rows[column], format=form)
        days = days.dt.tz_localize(None) if days.dt.tz is not None else days
        return (days.dt.normalize() + OPENS).dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")

    return times


def local_day(instants: pd.Series) -> pd.Series:
    """The opens of the days on which these fall in New York."""
    days = instants.dt.tz_convert(NEW_YORK).dt.tz_localize(None).dt.normalize()
    return (days + OPENS).dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")


def serial(column: str) -> Times:
    def times(rows: pd.DataFrame) -> pd.Series:
        days = pd.Timestamp("1899-12-30") + pd.to_timedelta(rows[column].astype(int), unit="D")
        return (days + OPENS).dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")

    return times


def milliseconds_of(day_: str, column: int) -> Times:
    """As Lean counts the minutes of the day that its file is named after."""

    def times(rows: pd.DataFrame) -> pd.Series:
        local = pd.Timestamp(day_) + pd.to_timedelta(rows[column].astype("int64"), unit="ms")
        return local.dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")

    return times


def dollars(text: str) -> Decimal:
    return Decimal(text.lstrip("$").replace(",", ""))


def multiplied(text: str) -> Decimal:
    return Decimal(text[:-1]) * 10**6 if text.endswith("M") else Decimal(text)


def continental(text: str) -> Decimal:
    return Decimal(text.replace(".", "").replace(",", "."))


def lean(path: Path) -> Bars:
    """Prices in ten-thousandths, the time in milliseconds since the midnight of the day in the file's name."""
    found = reader(milliseconds_of(path.name[4:12], 0), {n: k for k, n in enumerate(FIGURES, 1)}, header=None)(path)
    found[[*FIGURES[:4]]] = found[[*FIGURES[:4]]].map(lambda each: each / 10_000)
    return found


def billionths(path: Path) -> Bars:
    found = reader(since_1970("ts_event", "ns"))(path)
    found[[*FIGURES[:4]]] = found[[*FIGURES[:4]]].map(lambda each: each / 10**9)
    return found


def bars_of(rows: tuple[Row, ...]) -> Bars:
    """The bars as they were before any vendor wrote them."""
    return pd.DataFrame(
        [(row.start, *map(Decimal, row.ohlcv), "SPY") for row in rows], columns=["start", *FIGURES, "symbol"]
    )
