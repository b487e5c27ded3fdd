"""Parquet files as lines of CSV, so that one reader judges every row (MD-05, MD-08).

The library is in the extra `keyturn[research]`. Some damaged files end the process that reads them, so this module is
also the program of a process of its own. A float is written with the fewest digits that mean the same float.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from subprocess import DEVNULL, PIPE, Popen
from typing import BinaryIO, TextIO

ENDINGS = (".parquet", ".pq")
ROWS = 10_000
"""Rows that are converted at once."""


class ParquetError(ValueError):
    """A file that cannot be read as Parquet; the message says why and what to do."""


def parquet_lines(file: BinaryIO) -> Iterator[str]:
    """Yield the header and each row of an open Parquet file, as lines of CSV with their ends. Raises `ParquetError`."""
    if find_spec("polars") is None:
        raise ParquetError("polars reads Parquet files, and is not installed; run: pip install 'keyturn[research]'")
    with Popen([sys.executable, "-P", __file__], stdin=file, stdout=PIPE, stderr=DEVNULL) as reader:
        assert reader.stdout is not None
        yield from io.TextIOWrapper(reader.stdout, encoding="utf-8")
    if reader.returncode:
        raise ParquetError("is no Parquet file that can be read; save it again, or as CSV")


def write_lines(file: BinaryIO, target: TextIO) -> None:
    """Write the lines of an open Parquet file, without the columns that no cell can hold. Raises what polars raises.

    A line break within a text becomes a space: each row is one line.
    """
    import polars

    frame = polars.read_parquet(file)
    odd = (polars.Binary, polars.Duration, polars.Object)
    frame = frame.select(name for name, kind in frame.schema.items() if not kind.is_nested() and kind not in odd)
    frame = frame.with_columns(polars.col(polars.String).str.replace_all(r"[\r\n]+", " "))
    is_first = True
    for rows in frame.iter_slices(ROWS) if len(frame) else (frame,):
        target.write(rows.write_csv(include_header=is_first))
        is_first = False


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    write_lines(sys.stdin.buffer, sys.stdout)
