"""Files that all accounts of a home share: watchlists, sectors, betas, theses, earnings dates and the last VIX.

Watchlists may be edited while an engine runs; one holds `symbols = ["BAC", "JPM"]`. A fault in one is reported with its
place and does not affect the others. A fault in the sectors is reported with the symbol; without a file there are none.
The VIX is replaced atomically, and fetched by one process at a time.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from core.files.csv_files import FileFault, Record, Table, is_of_the_vix, text_of
from core.files.regular_file import bytes_of
from core.market.vix import Kept
from core.messages.desk_commands import WatchlistFilesSeen
from core.model.instrument import MAIN, SHARE, SYMBOL, Watchlist, capitals, fault_of, small_letters
from core.model.lazy_dataclass import dataclass
from core.model.news import EarningsDate, EarningsTime
from core.model.session import XNYS
from core.model.sizing import DailyValue, NoVix, VixReading
from core.model.thesis import Thesis
from core.model.values import Symbol
from core.ports import OperatorError
from core.risk.regime import can_leave
from core.risk.theses import theses_of
from state.files import make_folder, open_private, replace_file, tables_of

FOLDER = "watchlists"
ENDS = ".toml"
EVERY_SECONDS = 1.0
"""Seconds between two checks: the files must be unchanged between two of them, or one is still being written."""
LARGEST = 4000
"""The maximum size of a file in bytes."""
MOST_FILES = 50
"""The maximum of files read."""
HOW = 'a list is written as symbols = ["BAC", "JPM"]'

Marks = tuple[tuple[str, int, int, int], ...] | None
"""The identity of the folder's content without reading it; None without a folder."""


class _WrongError(Exception):
    """A fault of one file."""


@dataclass(slots=True)
class WatchlistFiles:
    """The first check always reads the files.

    Parameters
    ----------
    now
        A monotonic clock, seconds.

    Attributes
    ----------
    faults
        The faults found at the last reading, each with its place and a remedy.
    """

    folder: Path
    now: Callable[[], float] = time.monotonic
    faults: tuple[str, ...] = ()
    _looked_at: float | None = None
    _last: Marks = None
    _read: list[Marks] = field(default_factory=list)

    def look(self) -> WatchlistFilesSeen | None:
        """Return the lists after each possible change of the files."""
        at = self.now()
        if self._looked_at is not None and at - self._looked_at < EVERY_SECONDS:
            return None
        is_first, self._looked_at = self._looked_at is None, at
        try:
            marks, before = self._marks(), self._last
        except OSError as error:
            self.faults = (f"{self.folder} cannot be read: {error.strerror}; fix it, the lists stay as they were",)
            return None
        self._last = marks
        if (marks != before and not is_first) or self._read == [marks]:
            return None
        self._read = [marks]
        return self._seen(marks)

    def write(self, name: str, symbols: Sequence[Symbol]) -> str:
        """Write a list's file, or remove it if it has no symbols.

        Return the reason of a failure, or an empty string.
        """
        path = self.folder / f"{name}{ENDS}"
        try:
            if not symbols:
                path.unlink(missing_ok=True)
                return ""
            make_folder(self.folder)
            listed = ", ".join(f'"{symbol}"' for symbol in symbols)
            replace_file(path, f"symbols = [{listed}]\n".encode())
        except OSError as error:
            return f"{error.filename or path} cannot be written: {error.strerror}; fix that and keep it again"
        return ""

    def _marks(self) -> Marks:
        if not self.folder.is_dir():
            return None
        marks = []
        for path in sorted(path for path in self.folder.iterdir() if path.suffix == ENDS)[:MOST_FILES]:
            with suppress(FileNotFoundError):  # removed meanwhile
                told = path.stat()
                marks.append((path.name, told.st_mtime_ns, told.st_size, told.st_ino))
        return tuple(marks)

    def _seen(self, marks: Marks) -> WatchlistFilesSeen:
        lists: list[Watchlist] = []
        unread, faults = [], []
        for file, *_ in marks or ():
            name = file.removesuffix(ENDS)
            try:
                wanted = Watchlist(name, self._read_one(file))
                if fault := fault_of(wanted, {MAIN: (), **{each.name: each.symbols for each in lists}}):
                    raise _WrongError(fault)
                lists.append(wanted)
            except _WrongError as wrong:
                unread.append(name)
                faults.append(f"{FOLDER}/{file[:24]}: {wrong}; fix it, its list stays as it was")
        self.faults = tuple(faults)
        return WatchlistFilesSeen(tuple(lists), tuple(unread), has_folder=marks is not None)

    def _read_one(self, file: str) -> tuple[Symbol, ...]:
        try:
            table = tomllib.loads(bytes_of(self.folder / file, LARGEST).decode("utf-8-sig"))
        except OSError as error:
            raise _WrongError(f"cannot be read: {error.strerror}") from None
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
            raise _WrongError(str(error)[:80]) from None
        if unknown := sorted(set(table) - {"symbols"}):
            raise _WrongError(f"there is no {unknown[0][:20]!r}; {HOW}")
        symbols = table.get("symbols")
        if not isinstance(symbols, list) or not symbols:
            raise _WrongError(f"symbols: {HOW}; to be rid of a list, remove its file")
        if odd := [each for each in symbols if not isinstance(each, str)]:
            raise _WrongError(f"symbols: {str(odd[0])[:20]} is no text; {HOW}")
        return tuple(Symbol(capitals(each.strip())) for each in symbols)


NAME = "sectors.toml"
SECTOR = re.compile(r"[a-z][a-z0-9 &/_-]{0,31}")
MOST = 5000
"""The maximum of symbols: the journal holds them with each change of the settings."""


class SectorsError(OperatorError):
    """An invalid sectors file; the message is one line for the operator."""


def read_sectors(path: Path) -> dict[str, str]:
    """Return the sectors by symbol; case and surrounding spaces of a sector are ignored. Raises `SectorsError`."""
    found: dict[str, str] = {}
    for symbol, sector in _lines(tables_of(path, "sectors", SectorsError)):
        place = f"{path.name}: {symbol[:20]}"
        if SYMBOL.fullmatch(symbol) is None:
            raise SectorsError(f'{place} is not how a symbol is written; write XOM = "energy"')
        if not isinstance(sector, str):
            raise SectorsError(f'{place}: its sector must be a text, as in {symbol} = "energy"')
        name = " ".join(sector.lower().split())
        if SECTOR.fullmatch(name) is None:
            raise SectorsError(
                f"{place} = {sector[:40]!r}: a sector is called by 1 to 32 letters, digits, spaces, &, /, - or _, "
                "a letter first"
            )
        found[symbol] = name
    if len(found) > MOST:
        raise SectorsError(f"{path.name}: {len(found):,} symbols, {MOST:,} at most; name those that you trade")
    return found


def _lines(values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Yield symbols and values; `BRK.B = "financials"` is equal with and without quotation marks around its symbol."""
    waiting: list[tuple[str, Mapping[str, object]]] = [("", values)]
    while waiting:
        prefix, table = waiting.pop()
        for name, value in table.items():
            if isinstance(value, Mapping):
                waiting.append((f"{prefix}{name}.", value))
            else:
                yield f"{prefix}{name}", value


BETAS = "betas.toml"


def read_betas(path: Path, most: int) -> dict[Symbol, float]:
    """Return the betas that the operator names, `most` either way at the most (AN-02); none without the file.

    Raises `OperatorError` with the symbol.
    """
    found = {}
    for symbol, beta in _lines(tables_of(path, "betas", OperatorError)):
        place = f"{path.name}: {symbol[:20]}"
        if SYMBOL.fullmatch(symbol) is None:
            raise OperatorError(f"{place} is not how a symbol is written; write XOM = 1.2")
        number = Decimal(beta) if isinstance(beta, int | Decimal) and not isinstance(beta, bool) else Decimal("NaN")
        if not number.is_finite() or abs(number) > most:
            raise OperatorError(f"{place}: write a number from -{most} to {most}, as {symbol} = 1.2")
        found[Symbol(symbol)] = float(number)
    return found


THESES = "theses.toml"


def read_theses(path: Path, strategies: Collection[str]) -> tuple[Thesis, ...]:
    """Return the theses of these strategies, none without the file. Raises `OperatorError`."""
    return theses_of(tables_of(path, "theses", OperatorError), path.name, strategies)


EARNINGS = "earnings.csv"
EARNINGS_COLUMNS = ("symbol", "date")
LARGEST_EARNINGS = 1_000_000
"""The maximum size of the file in bytes."""
ISO_DAY = re.compile(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}")


def read_earnings(path: Path) -> tuple[EarningsDate, ...]:
    """Return the dates of the file, none without it. Raises `TableError` at the first invalid row."""
    if not path.exists():
        return ()
    table = Table(path, text_of(path, LARGEST_EARNINGS), "report", may_be_none=True)
    found: dict[tuple[Symbol, date], EarningsDate] = {}
    for row in table.records(EARNINGS_COLUMNS if "when" not in table.header else (*EARNINGS_COLUMNS, "when")):
        report = _report(row)
        if (report.symbol, report.day) in found:
            raise row.fault("date", f"is there twice for {report.symbol}; keep one row")
        found[report.symbol, report.day] = report
    return tuple(found.values())


def _report(row: Record) -> EarningsDate:
    symbol, when = capitals(row["symbol"]), small_letters(row["when"])
    if SHARE.fullmatch(symbol) is None:
        raise row.fault("symbol", "is no symbol of a share such as AAPL")
    try:
        day = date.fromisoformat(row["date"]) if ISO_DAY.fullmatch(row["date"]) else None
    except ValueError:
        day = None
    if day is None:
        raise row.fault("date", "is no day such as 2026-12-03", FileFault.DATE)
    if when and when not in set(EarningsTime):
        raise row.fault("when", "is neither before nor after (the session); leave it empty if you do not know")
    return EarningsDate(Symbol(symbol), day, EarningsTime(when) if when else None)


_KEPT = TypeAdapter(Kept)
LARGEST_VIX = 100_000
"""The maximum size of the file in bytes."""
DAMAGED = "is damaged; the source is asked again"


class VixFile:
    """Implements `core.market.vix.VixMemory`.

    `now` is this machine's clock, UTC: a measurement of a later day is refused. The lock is the kernel's, on a file
    beside it: a process that dies releases it.
    """

    def __init__(self, path: Path, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self._lock = path.with_suffix(".lock")

    def load(self) -> Kept:
        try:
            kept: Kept = _KEPT.validate_json(bytes_of(self._path, LARGEST_VIX))
        except FileNotFoundError:
            return Kept(NoVix("the VIX was not measured yet"))
        except OSError as error:
            return Kept(NoVix(f"{self._path.name} cannot be read: {error.strerror or error}"))
        except ValidationError:
            return Kept(NoVix(f"{self._path.name} {DAMAGED}"))
        if not _is_sound(kept) or not _is_possible(kept.reading, self._now()):
            return Kept(NoVix(f"{self._path.name} {DAMAGED}"))
        return kept

    def save(self, kept: Kept) -> None:
        replace_file(self._path, orjson.dumps(_KEPT.dump_python(kept, mode="json"), option=orjson.OPT_INDENT_2))

    @contextmanager
    def turn(self) -> Iterator[bool]:
        make_folder(self._path.parent)
        descriptor = open_private(self._lock, os.O_RDWR | os.O_CREAT)
        try:
            yield _locked(descriptor)
        finally:
            os.close(descriptor)


def _is_sound(kept: Kept) -> bool:
    times = [at for at in (kept.fetched_at, kept.failed_at) if at is not None]
    is_measured = isinstance(kept.reading, VixReading)
    return all(at.tzinfo is not None for at in times) and is_measured == (kept.fetched_at is not None)


def _is_possible(reading: VixReading | NoVix, now: datetime) -> bool:
    """Whether it is a possible value of the index, from a day not in the future."""
    if isinstance(reading, NoVix):
        return True
    value, today = reading.value, XNYS.day_of(now)
    return (
        is_of_the_vix(value)
        and can_leave(value, reading.level)
        and (reading.measured_on <= today)
        and _is_of_its_day(reading, now)
        and _are_its_closes(reading)
    )


def _is_of_its_day(reading: VixReading, now: datetime) -> bool:
    at = reading.measured_at
    return at is None or (at.tzinfo is not None and at <= now and XNYS.day_of(at) == reading.measured_on)


def _are_its_closes(reading: VixReading) -> bool:
    """Whether there are no closes, or they are in order of time and end with the reading itself."""
    closes = reading.closes
    if not closes:
        return True
    are_in_order = all(earlier.day < later.day for earlier, later in pairwise(closes))
    own = DailyValue(reading.measured_on, reading.value)
    return are_in_order and all(is_of_the_vix(close.value) for close in closes) and closes[-1] == own


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
