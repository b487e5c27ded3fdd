"""The operator's own CSV files, as rows of text: what is wrong with a file is told with its place and what to do."""

from __future__ import annotations

import csv
from pathlib import Path

from core.ports import OperatorError
from core.regular_file import OddFileError, TooLargeError, bytes_of

FIRST_ROW = 2
"""Line of the first row; the header is line 1."""
LONGEST_SHOWN = 40
LARGEST = 1 << 30
"""Bytes of a file; twenty years of minutes are a tenth of it."""
A_FOLDER = "is a folder; name one CSV file in it"
PACKED = b"\x1f\x8b"
"""What a file of gzip begins with."""
Row = list[str]


class TableError(OperatorError):
    """A file that cannot be used; the message names file, line and what to do."""


def text_of(path: Path, largest: int = LARGEST) -> str:
    """All of a regular file of no more than `largest` bytes: of no device, no pipe. Raises `TableError`."""
    content = b""
    try:
        content = bytes_of(path, largest)
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise TableError(f"{path}: no such file; check the path") from None
    except IsADirectoryError:
        raise TableError(f"{path}: {A_FOLDER}") from None
    except PermissionError:
        raise TableError(f"{path}: may not be read; check its permissions") from None
    except OddFileError:
        raise TableError(f"{path}: is no regular file; name a CSV file") from None
    except TooLargeError:
        size = path.stat().st_size
        raise TableError(f"{path}: has {size:,} bytes, {largest:,} at most are read; split the file") from None
    except UnicodeDecodeError:
        if content[: len(PACKED)] == PACKED:
            raise TableError(f"{path}: is packed; unpack it with `gunzip`") from None
        raise TableError(f"{path}: is not UTF-8 text; save it as CSV in UTF-8") from None
    except OSError as error:
        raise TableError(f"{path}: cannot be read: {error.strerror or error}") from None


def rows_of(path: Path, text: str, unit: str, *, may_be_none: bool = False) -> list[Row]:
    """Header and rows, one a line; empty lines at the end are dropped. `may_be_none` takes a header alone."""
    if not text.strip():
        raise TableError(f"{path}: is empty; give it a header line and one row for each {unit}")
    lines = text.rstrip("\n").split("\n")
    reader = csv.reader(lines, skipinitialspace=True)
    rows: list[Row] = []
    try:
        for row in reader:
            rows.append(row)
            if reader.line_num != len(rows):
                raise TableError(f"{path}:{len(rows)}: a quotation mark is not closed on its line; mend the line")
    except csv.Error as error:
        raise TableError(f"{path}:{len(rows) + 1}: is not CSV ({error}); mend the line") from None
    while not rows[-1]:
        rows.pop()
    if len(rows) == 1 and not may_be_none:
        raise TableError(f"{path}:1: there is a header and no row after it; give it one row for each {unit}")
    return rows


def columns_of(path: Path, header: Row, names: tuple[str, ...]) -> list[int]:
    found = [name.strip().lower() for name in header]
    missing = [name for name in names if name not in found]
    if missing:
        raise TableError(
            f"{path}:1: no column {', '.join(missing)} among {shown(','.join(found))}; "
            f"the first line must name {','.join(names)}, separated by commas"
        )
    twice = [name for name in names if found.count(name) > 1]
    if twice:
        raise TableError(f"{path}:1: the column {', '.join(twice)} is there twice; keep one of them")
    return [found.index(name) for name in names]


def fields_of(place: str, row: Row, columns: list[int]) -> list[str]:
    """What a row has in those columns. Raises `TableError` where it is too short."""
    if max(columns) >= len(row):
        raise TableError(f"{place}: the line has {len(row)} fields, {max(columns) + 1} are needed; complete it")
    return [row[column].strip() for column in columns]


def shown(text: str) -> str:
    """Text from outside, without control characters and not too long: `'symbol;side…'`."""
    if len(text) <= LONGEST_SHOWN:
        return ascii(text)
    begin = ascii(text[:LONGEST_SHOWN])
    return f"{begin[:-1]}…{begin[-1]}"
