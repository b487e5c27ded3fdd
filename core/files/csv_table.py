"""The reader of CSV files; faults are reported with file, line and column, and a remedy."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

from core.files.regular_file import OddFileError, TooLargeError, bytes_of
from core.model.values import number_in
from core.ports import OperatorError

FIRST_ROW = 2
"""The line number of the first row; the header is line 1."""
LONGEST_SHOWN = 40
LARGEST = 1 << 30
"""The maximum size of a file in bytes; twenty years of minutes are a tenth of it."""
A_FOLDER = "is a folder; name one CSV file in it"
PACKED = b"\x1f\x8b"
"""The first bytes of a gzip file."""
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
    SYMBOL = "symbol"
    UNREADABLE = "unreadable"
    """More than one row in a hundred."""


class TableError(OperatorError):
    """A file that cannot be used; the message names file and line, and a remedy."""

    def __init__(self, words: str, fault: FileFault = FileFault.VALUE) -> None:
        super().__init__(words)
        self.fault = fault


def text_of(path: Path, largest: int = LARGEST) -> str:
    """Return the text of a regular file of at most `largest` bytes. Raises `TableError`."""
    content = b""
    try:
        content = bytes_of(path, largest)
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
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
    except UnicodeDecodeError:
        if content[: len(PACKED)] == PACKED:
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
        header, *self.rows = _rows(path, text, unit)
        self.header = [name.strip().lower() for name in header]
        if not self.rows and not may_be_none:
            raise TableError(f"{path}:1: there is a header and no row after it; give it one row for each {unit}")

    def columns(self, names: Sequence[str]) -> list[int]:
        """Return the index of each column. Raises `TableError`."""
        if missing := [name for name in names if name not in self.header]:
            fault = self._header_fault
            what = f"no column {', '.join(missing)} among" if fault is not FileFault.HEADER else "no column's name in"
            raise TableError(
                f"{self.path}:1: {what} {shown(','.join(self.header))}; "
                f"the first line must name {','.join(names)}, separated by commas",
                fault,
            )
        if twice := [name for name in names if self.header.count(name) > 1]:
            raise TableError(
                f"{self.path}:1: the column {', '.join(twice)} is there twice; keep one of them", FileFault.COLUMN
            )
        return [self.header.index(name) for name in names]

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


def _rows(path: Path, text: str, unit: str) -> list[Row]:
    if not text.strip():
        raise TableError(f"{path}: is empty; give it a header line and one row for each {unit}")
    reader = csv.reader(text.rstrip("\n").split("\n"), skipinitialspace=True)
    rows: list[Row] = []
    try:
        for row in reader:
            rows.append(row)
            if reader.line_num != len(rows):
                raise TableError(f"{path}:{len(rows)}: a quotation mark is not closed on its line; fix the line")
    except csv.Error as error:
        raise TableError(f"{path}:{len(rows) + 1}: is not CSV ({error}); fix the line") from None
    while not rows[-1]:
        rows.pop()
    return rows


def shown(text: str) -> str:
    """Quote external text without control characters and shortened: `'symbol;side…'`."""
    if len(text) <= LONGEST_SHOWN:
        return ascii(text)
    begin = ascii(text[:LONGEST_SHOWN])
    return f"{begin[:-1]}…{begin[-1]}"
