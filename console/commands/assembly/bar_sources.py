"""Where past bars come from: the source of the settings, the built-in exchange, and the history of the VIX (MD-11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from console.commands.assembly.at_a_broker import calendar_from_now, keys_of_source, real_broker, source_of
from console.commands.assembly.host import Host
from console.commands.assembly.settings import backtest_settings, is_simulated, mode_of, settings_of
from core.market.bar_folder import SIMULATED, VIX, BarSet, Period, Prices, files_of, row_of, set_of
from core.messages.inputs import BarArrived, MarketDataBroken
from core.model.bar import Bar
from core.model.instrument import capitals, symbol_in
from core.model.lazy_dataclass import dataclass
from core.model.session import XNYS
from core.model.values import ZERO, Symbol, plain
from core.ports import OperatorError
from state.bar_files import Fetched, fetch, require_played
from state.files import make_folder, replace_file

if TYPE_CHECKING:
    from core.settings.settings import Settings

DELAY = timedelta(minutes=20)
"""Bars are fetched when they are older: without a subscription those of sip are given after 15 minutes."""
BACK = {Period.MINUTE: timedelta(days=365), Period.DAY: timedelta(days=3653)}
"""How far a new file goes back."""
SIMULATED_BACK = {Period.MINUTE: timedelta(days=92), Period.DAY: timedelta(days=731)}
SIMULATED_SEED = 1
"""The market of the first demo."""
SESSIONS_AT_ONCE = 21
"""Sessions that the built-in exchange makes for one page."""
KEPT = "what was fetched is kept, and the same command goes on from there"

Watch = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class BarRequest:
    """What `keyturn bars` was asked for; `since` None is as far as the file goes. `overrides` may name the feed."""

    symbols: tuple[str, ...]
    period: Period
    prices: Prices
    since: date | None
    until: date | None
    overrides: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BarsOfSymbol:
    """What became of one symbol.

    Attributes
    ----------
    left_out
        Bars that no market can have, or that could not be read; `first_left_out` is the reason of the first.
    fault
        Why there is no file; empty if there is one.
    gaps
        Sessions within a file of days of which it has no bar.
    """

    symbol: Symbol
    fetched: Fetched | None
    left_out: int = 0
    first_left_out: str = ""
    fault: str = ""
    gaps: int = 0

    @property
    def in_words(self) -> str:
        if self.fetched is None:
            return f"{self.symbol}: {self.fault}"
        anew = f"; fetched anew: {self.fetched.anew}" if self.fetched.anew else ""
        odd = f"; {self.left_out} left out, the first: {self.first_left_out}" if self.left_out else ""
        gaps = f"; {self.gaps} of {self.fetched.rows + self.gaps} sessions have no bar" if self.gaps else ""
        is_made = (found := set_of(self.fetched.path.name)) is not None and found.feed == SIMULATED
        made = "; SIMULATED, no prices of a market" if is_made else ""
        span = f"{self.fetched.first} to {self.fetched.last}"
        return f"{self.symbol}: {self.fetched.new} new, {span}: {self.fetched.path}{anew}{odd}{gaps}{made}"

    def as_json(self) -> dict[str, object]:
        found, fetched = None if self.fetched is None else set_of(self.fetched.path.name), self.fetched
        return {
            "symbol": self.symbol,
            "file": None if fetched is None else str(fetched.path),
            "period": None if found is None else found.period.value,
            "prices": None if found is None else found.prices.value,
            "feed": None if found is None else found.feed,
            "first": None if fetched is None else fetched.first,
            "last": None if fetched is None else fetched.last,
            "new": 0 if fetched is None else fetched.new,
            "anew": "" if fetched is None else fetched.anew,
            "left_out": self.left_out,
            "first_left_out": self.first_left_out,
            "sessions_without_a_bar": self.gaps,
            "fault": self.fault,
        }


def bar_files(host: Host, request: BarRequest, watch: Watch) -> Iterator[BarsOfSymbol]:
    """Bring the file of each symbol up to date, one after the other.

    Raises
    ------
    OperatorError
        A wrong symbol or span, no keys, no answer, or a disk that takes no more. What was fetched is kept.
    """
    from core.io.wall_clock import utc_now
    from core.market.port import MarketDataError, RefusedSymbolError
    from core.market.vix import VixError

    symbols = [_symbol(text, request) for text in dict.fromkeys(request.symbols)]
    settings = settings_of(host, request.overrides)
    now = utc_now()
    is_made = is_simulated(settings) and not settings.account.data
    bars: _Bars = _Simulated() if is_made else _Source(host, settings, request)
    until = _end(request, now - DELAY)
    usual = XNYS.start_of(XNYS.day_of(until) - bars.back[request.period])
    if request.since is not None and request.until is not None and request.until < request.since:
        raise OperatorError(f"--until {request.until}: is before --since {request.since}; change one of the two")
    if request.since is not None and until <= XNYS.start_of(request.since):
        raise OperatorError(f"--since {request.since}: no bar from that day on is final yet")
    for symbol in symbols:
        try:
            if symbol == VIX:
                yield _vix(host, settings)
            else:
                yield _fetched(host.home.bars, symbol, request, bars, usual, until, watch)
        except RefusedSymbolError as error:
            yield BarsOfSymbol(symbol, None, fault=str(error))
        except (MarketDataError, VixError) as error:
            raise OperatorError(f"{symbol}: {error}; {KEPT}") from None
        except OSError as error:
            place = error.filename or host.home.bars
            raise OperatorError(f"{place} cannot be written: {error.strerror}; free some room; {KEPT}") from None


def _fetched(
    folder: Path,
    symbol: Symbol,
    request: BarRequest,
    bars: _Bars,
    usual: datetime,
    until: datetime,
    watch: Watch,
) -> BarsOfSymbol:
    wanted = BarSet(symbol, request.period, bars.prices(request), bars.feed)
    others = [path for path in files_of([folder], symbol, wanted.period) if path.name != wanted.file_name]
    made = [path for path in others if (found := set_of(path.name)) is not None and found.feed == SIMULATED]
    if kept := [path for path in others if path not in made]:
        raise OperatorError(
            f"{kept[0]} is there, and research reads one {wanted.period} file of a symbol; "
            f"move it away to have {wanted.file_name}"
        )
    odd: list[str] = []

    def ask(start: datetime, end: datetime) -> Iterator[list[Bar]]:
        days = _days(wanted.period, start, end)
        for page in bars.past(wanted, start, end):
            odd.extend(fault for each in page if (fault := _fault(each, days)))
            sound = [each.bar for each in page if isinstance(each, BarArrived) and not _fault(each, days)]
            yield [bar for bar in sound if start <= bar.start < end]

    since = None if request.since is None else XNYS.start_of(request.since)
    first = since or usual
    days = max((until - first).days, 1)
    seen = lambda at: watch(symbol, min(max((at - first).days, 0), days), days)  # noqa: E731 - of this symbol alone
    file = fetch(folder, wanted, since, until, ask, seen, usual=usual)
    for path in made if file is not None else ():
        path.unlink()
    fault = "" if file else f"no {wanted.period} bars from {XNYS.day_of(first)} on ({bars.feed}); check symbol and days"
    return BarsOfSymbol(symbol, file, len(odd), "".join(odd[:1]), fault, _gaps(file, wanted.period))


def _gaps(file: Fetched | None, period: Period) -> int:
    """Return how many sessions of a file of days have no bar in it."""
    sessions = file and _days(period, XNYS.start_of(file.first), XNYS.start_of(file.last))
    return max(0, sum(file.first <= day <= file.last for day in sessions) - file.rows) if file and sessions else 0


def _days(period: Period, start: datetime, end: datetime) -> frozenset[date] | None:
    """Return the days that have a session, for bars of days; None for others, which may be of any time."""
    from core.market.calendar import load_calendar

    if period is Period.MINUTE:
        return None
    return frozenset(each.day for each in load_calendar(XNYS.day_of(start), XNYS.day_of(end)).sessions())


def _fault(each: BarArrived | MarketDataBroken, days: frozenset[date] | None) -> str:
    """Return why a bar is left out: it could not be read, or no market has such prices, or was open on its day."""
    if isinstance(each, MarketDataBroken):
        return each.reason
    bar = each.bar
    if days is not None and XNYS.day_of(bar.start) not in days:
        return f"{XNYS.day_of(bar.start)} has no session"
    if ZERO < bar.low <= min(bar.open, bar.close) and max(bar.open, bar.close) <= bar.high and bar.volume >= ZERO:
        return ""
    return f"{row_of(bar, Period.MINUTE)} is no bar of a market"


def _end(request: BarRequest, known: datetime) -> datetime:
    """Return when the newest wanted bar ends at the latest; `known` is the time up to which bars are final."""
    from core.market.calendar import load_calendar

    ended = known.replace(second=0, microsecond=0)
    if request.period is Period.DAY:
        calendar = load_calendar(known.date() - timedelta(days=14), known.date())
        last = max(session.day for session in calendar.sessions() if session.close <= known)
        ended = XNYS.end_of(last)
    return ended if request.until is None else min(ended, XNYS.end_of(request.until))


def files_to_play(
    host: Host, named: Sequence[Path] | None, symbol: str | None, overrides: tuple[str, ...]
) -> tuple[Path, ...]:
    """Return the named files, otherwise those of the symbol, or of the settings' symbols, in the folder of bars.

    Raises `OperatorError`.
    """
    if named:
        return tuple(named)
    symbols = [capitals(symbol)] if symbol else backtest_settings(host, overrides).symbols
    return require_played(host.home, map(Symbol, symbols))


def _symbol(text: str, request: BarRequest) -> Symbol:
    """Return the symbol, whose file's name can be read again. Raises `OperatorError`."""
    symbol = symbol_in(text)
    if symbol is None or set_of(BarSet(symbol, request.period, request.prices, SIMULATED).file_name) is None:
        raise OperatorError(f"{text}: is no symbol of a share such as SPY or BRK.B")
    if symbol == VIX and request.period is Period.MINUTE:
        raise OperatorError("VIX: there are closes of days only; name --days")
    return symbol


class _Bars(Protocol):
    """A source of past bars. `back` is how far a new file goes back."""

    @property
    def feed(self) -> str: ...

    @property
    def back(self) -> Mapping[Period, timedelta]: ...

    def prices(self, request: BarRequest) -> Prices: ...

    def past(
        self, wanted: BarSet, start: datetime, end: datetime
    ) -> Iterator[Sequence[BarArrived | MarketDataBroken]]: ...


class _Source:
    """The source of the settings, with its keys."""

    back = BACK

    def __init__(self, host: Host, settings: Settings, request: BarRequest) -> None:
        from state.credentials import find_keys

        if set(request.symbols) == {VIX}:  # its source needs no keys
            self.feed = ""
            return
        kind = real_broker(settings)
        source, mode = source_of(settings, kind), mode_of(host, settings)
        try:
            keys = keys_of_source(host, source, kind, find_keys(host.environ, mode, kind.keys), mode)
        except OperatorError as error:
            words = " ".join((*request.symbols, request.period.option))
            raise OperatorError(
                f"{error}; `keyturn --simulated bars {words}` has the built-in exchange make bars, which are no prices "
                "of a market"
            ) from None
        self._market = source.make(settings, keys, (), calendar_from_now(), {})
        self.feed = self._market.feed

    def prices(self, request: BarRequest) -> Prices:
        return request.prices

    def past(self, wanted: BarSet, start: datetime, end: datetime) -> Iterator[Sequence[BarArrived | MarketDataBroken]]:
        return self._market.past_bars(wanted.symbol, start, end, wanted.period, wanted.prices)


class _Simulated:
    """The lively market of the demo, which has no splits."""

    feed = SIMULATED
    back = SIMULATED_BACK

    def prices(self, _request: BarRequest) -> Prices:
        return Prices.RAW

    def past(self, wanted: BarSet, start: datetime, end: datetime) -> Iterator[Sequence[BarArrived | MarketDataBroken]]:
        from core.market.calendar import load_calendar
        from core.runtime.demo_market import LIVELY

        if start >= end:
            return
        calendar = load_calendar(XNYS.day_of(start), XNYS.day_of(end))
        sessions = [each for each in calendar.sessions() if start < each.close and each.open < end]
        for first in range(0, len(sessions), SESSIONS_AT_ONCE):
            made: list[Bar] = []
            for session in sessions[first : first + SESSIONS_AT_ONCE]:
                if wanted.period is Period.DAY:
                    day = LIVELY.whole_day(SIMULATED_SEED, wanted.symbol, session)
                    made.append(replace(day, start=XNYS.start_of(session.day)))
                else:
                    made += LIVELY.minutes(SIMULATED_SEED, wanted.symbol, session)
            yield [BarArrived(bar, "seed 1") for bar in made if start <= bar.start < end]


def _vix(host: Host, settings: Settings) -> BarsOfSymbol:
    """Write every close of the VIX that its source has. Raises `VixError`, OSError."""
    from core.market.vix_source import HttpVixSource

    if not settings.regime.vix_url:
        return BarsOfSymbol(VIX, None, fault="regime.vix_url names no source of its closes")
    closes = HttpVixSource(settings.regime).history()
    make_folder(host.home.bars)
    path = host.home.bars / f"{VIX}_daily.csv"
    rows = [f"{each.day},{plain(each.value)}" for each in closes]
    replace_file(path, "\n".join(("date,close", *rows, "")).encode())
    return BarsOfSymbol(VIX, Fetched(path, closes[0].day, closes[-1].day, len(rows), len(rows), ""))
