"""Bars of a source, written into the folder of bars so that an interruption loses no page (MD-11).

Pages are appended to `NAME.csv.part`, which is renamed when it is whole: a reader sees the old file or the new one. A
file that is there is continued from its last day, and so is an unfinished part. Their first bar and their last day are
requested again: if prices differ by a factor, a split has changed those before it, and everything is fetched anew.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median

from core.files.csv_files import FIRST_ROW
from core.files.regular_file import reading
from core.market.bar_folder import HEADERS, BarSet, Period, file_of, files_of, require_alike, row_of
from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS
from core.model.values import Symbol, number_in
from core.ports import OperatorError
from state.files import Home, make_folder, naming, open_private, sync_folder, write_all

FACTOR = Decimal("0.01")
"""Closes that differ by more are of before a split, the smallest of which is 5 %; less is a correction."""
LASTS = {Period.MINUTE: timedelta(minutes=1), Period.DAY: timedelta(days=1)}
COMMAS, CLOSE, DAY = 5, 4, 10
"""Of a row: its commas, the column of its close, and the bytes of its day."""
COPIED = 1 << 20
"""Bytes copied at once."""

Ask = Callable[[datetime, datetime], Iterator[list[Bar]]]
"""Yields bars that begin from one time to before another, in order."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file after a fetch.

    Attributes
    ----------
    first, last
        The days of its first and its last row.
    rows
        Rows of the file.
    new
        Rows that were written and not copied from the file as it was.
    anew
        Why it was fetched from the beginning; empty if it was not, or is new.
    """

    path: Path
    first: date
    last: date
    rows: int
    new: int
    anew: str


@dataclass(frozen=True, slots=True)
class _Known:
    """The whole rows of a file.

    Attributes
    ----------
    first, last
        When its first and its last bar begin.
    rows
        How many it has.
    last_day
        The midnight before the last bar, of the exchange for daily bars and UTC for minutes.
    kept, size
        Bytes before the rows of the last day, and up to their end.
    closes
        Those of the last day and of the first bar, by the text of their time.
    last_texts
        The times of the last day.
    """

    first: datetime
    last: datetime
    rows: int
    last_day: datetime
    kept: int
    size: int
    closes: Mapping[str, Decimal]
    last_texts: frozenset[str]

    def end(self, begun: Iterable[Bar], period: Period) -> int:
        """Return the bytes that stay: those before the last day, if the source has sent that again."""
        is_sent = any(_text_of(bar, period) in self.last_texts for bar in begun)
        return self.kept if is_sent else self.size

    def factor(self, sent: Iterable[Bar], period: Period) -> Decimal | None:
        """Return what the known closes are multiplied by in bars that the source sent; None if they are the same."""
        texts = ((bar, _text_of(bar, period)) for bar in sent)
        ratios = [bar.close / self.closes[text] for bar, text in texts if text in self.closes]
        factor = median(ratios) if ratios else Decimal(1)
        return factor if abs(factor - 1) > FACTOR else None


def require_folders(home: Home, symbols: Iterable[Symbol], period: Period) -> tuple[Path, ...]:
    """Return the folders of bars if they have a file of one of the symbols at least. Raises `OperatorError`."""
    folders, wanted = home.bar_folders, list(dict.fromkeys(symbols))
    if not any(files_of(folders, symbol, period) for symbol in wanted):
        raise OperatorError(no_bars(home, wanted, period))
    return folders


def no_bars(home: Home, symbols: Iterable[Symbol], period: Period | None) -> str:
    """Return what is missing, and the command that fetches it; the period is None where any will do."""
    names = " ".join(symbols)
    missing, option = ("bars", "--days` or `--minutes") if period is None else (f"{period} bars", period.option)
    return f"no {missing} of {names} in {home.bars}; `keyturn bars {names} {option}` fetches them"


def require_played(home: Home, symbols: Iterable[Symbol]) -> tuple[Path, ...]:
    """Return the files with bars of the symbols, of minutes and of days. Raises `OperatorError`."""
    found = {s: [path for p in Period if (path := file_of([home.bars], s, p)) is not None] for s in symbols}
    if missing := [symbol for symbol, files in found.items() if not files]:
        raise OperatorError(no_bars(home, missing, None))
    paths = tuple(path for files in found.values() for path in files)
    require_alike(paths)
    return paths


def fetch(
    folder: Path,
    wanted: BarSet,
    since: datetime | None,
    until: datetime,
    ask: Ask,
    watch: Callable[[datetime], None],
    *,
    usual: datetime,
) -> Fetched | None:
    """Bring a file up to `until`, and back to `since`; None if there are no bars.

    Without `since` a file keeps its beginning, and a new one begins at the `usual` time. No `until` takes away what is
    there. `watch` is called with the start of the newest bar of each page.

    Raises
    ------
    OperatorError
        Another process writes the file.
    OSError
        The disk is full, or the folder cannot be written. What was fetched is kept, as after any error of `ask`.
    """
    make_folder(folder)
    path = folder / wanted.file_name
    part = path.with_name(f"{path.name}.part")
    descriptor = open_private(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW)
    try:
        with naming(part):
            _take(descriptor, part)
        try:
            with naming(part):
                new, anew = _Writing(descriptor, path, part, wanted.period, ask, watch).run(since, until, usual)
                os.fsync(descriptor)
            found = _known(part, wanted.period)
        finally:
            if os.fstat(descriptor).st_size <= len(HEADERS[wanted.period]) + 1:
                part.unlink()
        if found is None:
            return None
        part.replace(path)
        sync_folder(folder)
    finally:
        os.close(descriptor)
    return Fetched(path, XNYS.day_of(found.first), XNYS.day_of(found.last), found.rows, new, anew)


def _take(descriptor: int, part: Path) -> None:
    """Lock the part for this process. Raises `OperatorError` if another one writes it, or has just renamed it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        is_taken = part.exists() and os.path.samestat(part.stat(), os.fstat(descriptor))
    except BlockingIOError:
        is_taken = False
    if not is_taken:
        raise OperatorError(f"{part.name}: another `keyturn bars` writes it; wait for its end")


class _Writing:
    """One part, from what is there to its end."""

    def __init__(
        self,
        descriptor: int,
        path: Path,
        part: Path,
        period: Period,
        ask: Ask,
        watch: Callable[[datetime], None],
    ) -> None:
        self._descriptor, self._path, self._part = descriptor, path, part
        self._period, self._ask, self._watch = period, ask, watch
        self._last: datetime | None = None
        self._sent_before: frozenset[str] = frozenset()
        self._new = 0

    def run(self, since: datetime | None, until: datetime, usual: datetime) -> tuple[int, str]:
        """Return the number of new rows, and why everything was fetched anew."""
        anew = ""
        read = ((source, self._known(source)) for source in (self._part, self._path))  # a part is newer
        found = [(source, known) for source, known in read if known is not None]
        until = max([until, *(known.last + LASTS[self._period] for _, known in found)])
        for source, known in found:
            front = _first_with_bars(self._ask(known.first, known.first + LASTS[self._period]))
            pages = self._ask(known.last_day, until)
            begun = _first_with_bars(pages)
            if factor := known.factor(front, self._period) or known.factor(begun, self._period):
                anew = f"its prices are {factor:.6g} times what they were, as after a split"
                since = min(since or known.first, known.first)
                break  # the older file is of before it too
            if source == self._part and self._has_bars(since or known.first, known.first):
                continue  # the part began later
            if source == self._part:
                self._cut(known.end(begun, self._period))
            else:
                self._begin()
                self._append(self._ask(since or known.first, known.first))
                self._copy(source, known.end(begun, self._period))
            self._sent_before = known.last_texts
            self._append([begun])
            self._append(pages)
            return self._new, anew
        self._begin()
        self._append(self._ask(since or usual, until))
        return self._new, anew

    def _known(self, source: Path) -> _Known | None:
        """Return the rows of a file; None if it has none. Raises `OperatorError` for a whole file that is not ours."""
        try:
            return _known(source, self._period)
        except ValueError as error:
            if source == self._part:
                return None
            raise OperatorError(f"{source}: {error}; move it away, and it is fetched anew") from None

    def _has_bars(self, start: datetime, end: datetime) -> bool:
        return any(self._ask(start, end))

    def _begin(self) -> None:
        self._cut(0)
        write_all(self._descriptor, f"{HEADERS[self._period]}\n".encode())

    def _cut(self, size: int) -> None:
        os.ftruncate(self._descriptor, size)
        os.lseek(self._descriptor, size, os.SEEK_SET)

    def _copy(self, source: Path, end: int) -> None:
        """Append the rows of a file up to a size, without its header."""
        with reading(source) as file:
            left = end - len(file.readline())
            while left > 0 and (content := file.read(min(left, COPIED))):
                write_all(self._descriptor, content)
                left -= len(content)

    def _append(self, pages: Iterable[list[Bar]]) -> None:
        """Append each page at once; a bar that is not after the last one is left out."""
        for page in pages:
            rows = []
            for bar in page:
                if self._last is None or bar.start > self._last:
                    self._last = bar.start
                    rows.append(row_of(bar, self._period))
                    self._new += _text_of(bar, self._period) not in self._sent_before
            if rows:
                write_all(self._descriptor, "\n".join((*rows, "")).encode())
                self._watch(page[-1].start)


def _first_with_bars(pages: Iterator[list[Bar]]) -> list[Bar]:
    """Return the first page that has bars: a source may send empty ones before it; empty if none has."""
    return next(filter(None, pages), [])


def _text_of(bar: Bar, period: Period) -> str:
    """Return the text of a bar's time in its row."""
    return row_of(bar, period).partition(",")[0]


def _known(path: Path, period: Period) -> _Known | None:
    """Return the whole rows of a file; None if there are none. Raises ValueError if it is no file of ours."""
    header = f"{HEADERS[period]}\n".encode()
    first, day, kept, count, rows = b"", b"", 0, 0, list[bytes]()
    try:
        with reading(path) as file:
            if (begin := file.readline()) != header and begin:
                raise ValueError("its first line is not that of a fetched file")
            size = len(begin)
            for number, line in enumerate(file, FIRST_ROW):
                if not line.endswith(b"\n"):
                    break  # cut off as it was written
                if line.count(b",") != COMMAS:
                    raise ValueError(f"line {number} is no row of a fetched file")
                first = first or line
                if line[:DAY] != day:
                    day, rows, kept = line[:DAY], [], size
                rows.append(line)
                count += 1
                size += len(line)
    except FileNotFoundError:
        return None
    if not rows:
        return None
    cells = [row.decode("ascii").split(",") for row in (first, *rows)]
    closes = {each[0]: number_in(each[CLOSE]) or Decimal(0) for each in cells}
    if not all(close > 0 for close in closes.values()):
        raise ValueError("the closes of its first row or its last day are no prices")
    last = _start_of(cells[-1][0], period)
    last_day = last if period is Period.DAY else last.replace(hour=0, minute=0)
    texts = frozenset(each[0] for each in cells[1:])
    return _Known(_start_of(cells[0][0], period), last, count, last_day, kept, size, closes, texts)


def _start_of(text: str, period: Period) -> datetime:
    """Return when a row's bar begins. Raises ValueError."""
    if period is Period.DAY:
        return XNYS.start_of(date.fromisoformat(text))
    start = datetime.fromisoformat(text)
    if start.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return start
