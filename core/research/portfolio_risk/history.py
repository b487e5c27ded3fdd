"""Daily closes of the operator's CSV files, adjusted for splits, and returns from close to close.

A file is used as a whole or refused with its row: a bad price, a repeated day, another symbol, a gap of a week. Single
missing days are noted, and no return leads over them. A jump at the open of a usual split's ratio counts as a split and
is reported; any other jump of that size is refused until the operator confirms it as a price move.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from core.files.csv_files import read_daily_values
from core.market.bar_folder import Period, file_of, require_alike
from core.market.calendar import load_calendar
from core.market.csv_source import daily_bars, read_days
from core.market.packed_rows import BrokenRow
from core.market.split_jumps import LEAST_JUMP, split_of
from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.rescaling import ratio_in_words, size_of
from core.model.sizing import DailyValue
from core.model.values import Price, Symbol
from core.ports import OperatorError
from core.research.portfolio_risk.betas import INDEX, Beta, beta_of
from core.research.portfolio_risk.portfolio import VIX

WIDE = Decimal("1.25")
"""An open this far from the last close, as a ratio, is reported although it counts as a price move."""
A_WEEK = 5
"""Missing sessions for which a file is refused."""
SHORTEST = 250
"""Closes that a history needs, about a year. Our choice: a quantile of 1 % needs hundreds of days."""
STALE = 5
"""Sessions by which a history may end before the newest one."""
WORST_DAY = -0.99
"""The lowest daily return of a position that is moved by its beta."""

Move = tuple[Symbol, date]
"""A symbol and a day whose jump the operator confirmed as a price move."""


@dataclass(frozen=True, slots=True)
class Jump:
    """An open far from the last close, USD, and how it was treated.

    Attributes
    ----------
    place
        File name and line.
    split
        As in `7 for 1`; empty if it counts as a price move.
    """

    symbol: Symbol
    day: date
    place: str
    before: Price
    opened: Price
    split: str

    @property
    def in_words(self) -> str:
        done = f"treated as a split {self.split}" if self.split else "treated as a price move"
        return f"{self.place}: {self.day} opens at {self.opened} after a close of {self.before}: {done}"


@dataclass(frozen=True, slots=True)
class Gap:
    """Sessions without a row between two rows of a file."""

    symbol: Symbol
    place: str
    day: date
    sessions: int

    @property
    def in_words(self) -> str:
        days = "1 session is" if self.sessions == 1 else f"{self.sessions} sessions are"
        return f"{self.place}: {days} missing before {self.day}; no return leads over that"


@dataclass(frozen=True, slots=True)
class Closes:
    """One file: closes by day, in today's shares, and its last raw close, USD."""

    symbol: Symbol
    days: tuple[date, ...]
    adjusted: tuple[float, ...]
    last: Price
    jumps: tuple[Jump, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Proxy:
    """The beta of a symbol without a usable history, and why it has none."""

    beta: Beta
    reason: str


@dataclass(frozen=True, slots=True)
class History:
    """The histories of the symbols that have one.

    Attributes
    ----------
    closes
        A column for each symbol, a row for each session of the calendar; NaN where a file has no row.
    last
        Each symbol's last raw close, USD.
    vix
        Closes of the VIX in points, in order; empty without a file of it.
    missing
        Why a symbol has no usable history.
    files
        Those that were found.
    unusable
        Files that are too short or too old.
    named
        Betas that the operator names.
    proxies
        The symbols whose closes are those of the index, moved by a beta.
    """

    closes: pd.DataFrame
    last: dict[Symbol, Price] = field(default_factory=dict)
    vix: tuple[DailyValue, ...] = ()
    missing: dict[Symbol, str] = field(default_factory=dict)
    jumps: tuple[Jump, ...] = ()
    gaps: tuple[Gap, ...] = ()
    unusable: dict[Symbol, Closes] = field(default_factory=dict)
    named: Mapping[Symbol, float] = field(default_factory=dict)
    proxies: dict[Symbol, Proxy] = field(default_factory=dict)
    files: Mapping[Symbol, Path] = field(default_factory=dict)

    def returns(self, symbols: Sequence[Symbol]) -> pd.DataFrame:
        """Return simple returns, a column for each symbol, for the days on which all of them have one."""
        return self.closes[list(symbols)].pct_change(fill_method=None).dropna()

    def beta(self, symbol: Symbol) -> Beta:
        """Return the beta of a symbol to the index, by its own days where the index has them too."""
        if symbol in self.proxies:
            return self.proxies[symbol].beta
        own = self.closes.get(symbol)
        if (short := self.unusable.get(symbol)) is not None:
            own = pd.Series(short.adjusted, index=list(short.days)).reindex(self.closes.index)
        index = self.closes[INDEX] if INDEX in self.closes else pd.Series(dtype=float)
        returns = None if own is None else own.pct_change(fill_method=None)
        return beta_of(symbol, returns, index.pct_change(fill_method=None), self.named)

    def with_proxies(self, symbols: Iterable[Symbol]) -> History:
        """Return the history in which each of these symbols has closes: without own ones, those of its beta.

        Without a usable history of the index they stay missing, and the reason says so.
        """
        lacking = [symbol for symbol in symbols if symbol in self.missing]
        if INDEX not in self.closes:
            either = {s: f"{self.missing[s]}; nor has {INDEX} a usable history" for s in lacking if s != INDEX}
            return replace(self, missing={**self.missing, **either})
        proxies = {symbol: Proxy(self.beta(symbol), self.missing[symbol]) for symbol in lacking}
        index = self.closes[INDEX]
        returns = index.pct_change(fill_method=None).fillna(0.0)
        moved = {
            symbol: (1 + np.maximum(proxy.beta.value * returns, WORST_DAY)).cumprod().where(index.notna())
            for symbol, proxy in proxies.items()
        }
        return replace(
            self,
            closes=self.closes.assign(**moved),
            last={**self.last, **{s: self.unusable[s].last for s in lacking if s in self.unusable}},
            missing={symbol: reason for symbol, reason in self.missing.items() if symbol not in proxies},
            proxies=proxies,
        )

    def vix_changes(self) -> pd.Series:
        """Return the daily changes of the VIX in points, by day; none over a session without a value."""
        levels = pd.Series({each.day: float(each.value) for each in self.vix}, dtype=float)
        return levels.reindex(self.closes.index).diff().dropna()


def read_history(
    folders: Sequence[Path],
    symbols: Iterable[Symbol],
    moves: Iterable[Move],
    watch: Callable[[int, int], None],
    named: Mapping[Symbol, float] = {},
) -> History:
    """Read the daily file of each symbol, the index and the VIX, in the first folder of CSV files that has one.

    A file's name is its symbol, alone or followed by `_`: `SPY.csv`, `SPY_daily.csv`.

    Parameters
    ----------
    moves
        Jumps that are price moves and no splits.
    watch
        Called with the number of files read and the total.
    named
        Betas to the index that the operator names.

    Raises
    ------
    OperatorError
        A file that cannot be used, two files of one symbol, files that are not mixed, or a confirmed move where no jump
        is.
    """
    wanted = [symbol for symbol in dict.fromkeys([*symbols, INDEX]) if symbol != VIX]
    confirmed, read, missing = set(moves), [], {}
    found = {symbol: file_of(folders, symbol, Period.DAY) for symbol in (*wanted, VIX)}
    files = {symbol: path for symbol, path in found.items() if path is not None}
    require_alike(files.values())
    for number, symbol in enumerate(wanted, 1):
        if symbol in files:
            read.append(read_closes(files[symbol], symbol, confirmed))
        else:
            missing[symbol] = f"no daily file of it in {', '.join(each.name for each in folders)}"
        watch(number, len(wanted) + 1)
    seen = {(jump.symbol, jump.day) for each in read for jump in each.jumps}
    if lost := sorted(confirmed - seen):
        symbol, day = lost[0]
        raise OperatorError(
            f"--no-split {symbol}:{day}: no jump of {symbol} on that day was read; check day and symbol"
        )
    values = tuple(read_daily_values(files[VIX])) if VIX in files else ()
    watch(len(wanted) + 1, len(wanted) + 1)
    return replace(history_of(read, values, missing, named), files=files)


def history_of(
    read: Sequence[Closes],
    vix: Sequence[DailyValue],
    missing: Mapping[Symbol, str],
    named: Mapping[Symbol, float] = {},
) -> History:
    """Align the files by the sessions of the calendar; too short and too old ones are missing, with the reason."""
    missing = dict(missing)
    newest = max((each.days[-1] for each in read), default=date.min)
    used = []
    for each in read:
        behind = _sessions(each.days[-1], newest)[1:]
        if len(each.days) < SHORTEST:
            missing[each.symbol] = f"its file has {len(each.days)} days, {SHORTEST} are needed"
        elif len(behind) > STALE:
            missing[each.symbol] = f"its file ends {each.days[-1]}, {len(behind)} sessions before {newest}"
        else:
            used.append(each)
    index = _sessions(min(each.days[0] for each in used), newest) if used else []
    columns = {each.symbol: pd.Series(each.adjusted, index=list(each.days)) for each in used}
    return History(
        pd.DataFrame(columns, index=index, dtype=float),
        {each.symbol: each.last for each in used},
        tuple(vix),
        missing,
        tuple(jump for each in used for jump in each.jumps),
        tuple(gap for each in used for gap in each.gaps),
        {each.symbol: each for each in read if each not in used},
        named,
    )


def _sessions(first: date, last: date) -> list[date]:
    return [session.day for session in load_calendar(first, last).sessions() if session.day <= last]


def read_closes(path: Path, symbol: Symbol, moves: Iterable[Move] = ()) -> Closes:
    """Read the daily bars of a file and adjust the closes before each split. Raises `OperatorError` with the row."""
    rows = read_days(path, symbol)
    days = [row.day for row in rows if not isinstance(row, BrokenRow)]
    calendar = load_calendar(days[0], days[-1])
    sessions = [session.day for session in calendar.sessions()]
    confirmed = set(moves)
    closes: list[float] = []
    jumps: list[Jump] = []
    gaps: list[Gap] = []
    last: Bar | None = None
    for item in daily_bars(rows, symbol, calendar):
        if isinstance(item, BrokenRow):
            raise OperatorError(f"{path.with_name(item.place)}: {item.reason}; fix the row or remove it")
        bar, _, place = item
        if last is not None:
            day = days[len(closes)]
            missing = bisect_left(sessions, day) - bisect_left(sessions, days[len(closes) - 1]) - 1
            if missing >= A_WEEK:
                raise OperatorError(
                    f"{path.with_name(place)}: {missing} sessions are missing before {day}; fetch the file again"
                )
            if missing:
                gaps.append(Gap(symbol, place, day, missing))
            jump, ratio = _jump(path, Jump(symbol, day, place, last.close, bar.open, ""), confirmed)
            if jump is not None:
                jumps.append(jump)
                closes = [close / ratio for close in closes] if ratio != 1 else closes
        closes.append(float(bar.close))
        last = bar
    assert last is not None
    return Closes(symbol, tuple(days), tuple(closes), last.close, tuple(jumps), tuple(gaps))


def _jump(path: Path, seen: Jump, moves: set[Move]) -> tuple[Jump | None, float]:
    """Return the jump between a close and the next open, and new shares for one old; None if it is a usual move.

    Raises `OperatorError` for one of a split's size without a split's ratio.
    """
    size = size_of(seen.before, seen.opened)
    if size < LEAST_JUMP or (seen.symbol, seen.day) in moves:
        return (seen if size >= WIDE else None), 1.0
    new_shares = split_of(seen.before, seen.opened)
    if new_shares is None:
        raise OperatorError(
            f"{path.with_name(seen.place)}: {seen.day} opens at {seen.opened} after a close of {seen.before}, no usual "
            f"split; adjust the prices before it, or confirm a price move by --no-split {seen.symbol}:{seen.day}"
        )
    return replace(seen, split=ratio_in_words(new_shares)), float(new_shares)
