"""Read the parts of a journal that a post-mortem, a report or the measures of a desk need (AN-01, AN-06).

The explained days are read completely, with their chain checked. Of other days only the lines of needed facts are
decoded: the segments are an index by day, and a line names its fact in its first bytes.

A report of a day or a week reads the records that explain the days, and the few facts for the current state. The
running engine is not involved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from operator import attrgetter
from pathlib import Path

from core import facts
from core.analytics.desk_measures import DeskMeasures, desk_measures
from core.execution.fee_days import FeeDays
from core.facts.registry import BY_NAME, BY_TYPE
from core.market.calendar import ExchangeCalendar, load_calendar
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.model.signal import FAILED_WORDS
from core.model.thesis import EndedTrade, Thesis, TradeKind, Verdict
from core.model.values import NO_SHARES, Price, Quantity, Symbol
from core.ports import JournalDamagedError, OperatorError, Recorded
from core.post_mortem.day_attribution import Books, held_after
from core.post_mortem.post_mortem import PostMortem, Read, post_mortem
from core.reports.figures import Figures
from core.reports.report import FOLDED, STAGED, Quarter, Report, report_of, week_figures
from state.codec import RecordError, decode
from state.journal import days_of, read_day
from state.journal_files import opened, segments

DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
LISTS = (facts.ActivitiesCompared, facts.CashMoved)
"""Facts that say on which day a fee counts."""
BEFORE = (
    *LISTS,
    facts.CorporateActionApplied,
    facts.OrderCreated,
    facts.PositionChanged,
    facts.PositionCorrected,
    facts.SettingsApplied,
    facts.AgentsApplied,
)
"""Facts to read from all earlier days."""
POSITIONS = (facts.CorporateActionApplied, facts.PositionChanged, facts.PositionCorrected)
"""Facts that change a position."""
AFTER = (*LISTS, facts.DayCorrected, facts.DayStarted, facts.DaySummarised)
"""Facts to read from the following days: a broker back-dates some things, and an agent summarises a day later."""
FEES_BACK = timedelta(days=40)
"""How long before the first day the sessions are known: a fee may be for a day weeks ago."""
LATER = 8
"""The number of following segments to read."""
AHEAD = timedelta(days=46)
"""The time before a day in which the broker's sessions of it may have been announced: a desk asks so far ahead."""
MARKS = 10
"""The number of earlier segments searched for the last prices of held symbols."""


def explained(folder: Path, what: str | None) -> tuple[PostMortem, bool]:
    """Return the post-mortem of the request, and whether that is one trade. Raises `OperatorError`."""
    asked = what or ""
    first, dots, last = asked.partition("..")
    if DAY.fullmatch(first):
        days = days_between(folder, day_named(first), day_named(last) if dots else day_named(first))
        return _of_days(folder, days), False
    if asked and (dots or re.fullmatch(r"[\w-]+", asked, re.ASCII) is None):
        raise OperatorError(f"{asked} is no order, no day and no days; write 2026-11-19 or 2026-11-16..2026-11-20")
    if not asked:
        days = days_between(folder, None, None)
        return _of_days(folder, days), False
    days = (day_of_trade(folder, asked),)
    return _of_days(folder, days, asked), True


def _of_days(folder: Path, days: Sequence[date], trade: str | None = None) -> PostMortem:
    sessions = announced_calendar(folder, days[0] - FEES_BACK, days[-1])
    return post_mortem(read_for(folder, days), days, HOME.day_of, sessions.session_at, trade)


def day_named(text: str) -> date:
    try:
        if DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise OperatorError(f"{text or 'nothing'} is no day; write it as 2026-11-19")


def read_for(folder: Path, days: Sequence[date]) -> Read:
    """Read these days, which are consecutive in the journal. Raises `OperatorError`, `JournalDamagedError`."""
    return read_beside(folder, days, ())[0]


def read_beside(folder: Path, days: Sequence[date], kinds: tuple[type[facts.Fact], ...]) -> tuple[Read, list[Recorded]]:
    """Read these days, and return separately the earlier records of those facts, which a post-mortem does not use.

    Raises OperatorError: the journal has none of the days.
    Raises JournalDamagedError: a record of one of them is not valid.
    """
    known = days_of(folder)
    wanted = [record for day in days for record in read_day(folder, day)]
    ended = [record.fact.trade for record in wanted if isinstance(record.fact, facts.TradeClosed)]
    since = min([*(HOME.day_of(trade.entry_time) for trade in ended), days[0]])
    earlier = [day for day in known if day < since]
    between = _but_bars(folder, [day for day in known if since <= day < days[0]], {trade.symbol for trade in ended})
    told = list(records_of(folder, earlier, (*BEFORE, *kinds)))
    before = [record for record in told if isinstance(record.fact, BEFORE)]
    read = Read(
        records=[*between, *wanted],
        before=before,
        closes=_last_prices(folder, earlier, held_after(before)),
        after=_after(folder, [day for day in known if day > days[-1]][:LATER], days[-1]),
    )
    return read, [record for record in told if not isinstance(record.fact, BEFORE)]


def _after(folder: Path, days: Sequence[date], last: date) -> list[Recorded]:
    """Return what later days record of it. The engine receives the bar of a whole day at the next open."""
    found = list(records_of(folder, days, AFTER))
    for record in records_of(folder, days, (facts.BarClosed,)):
        if isinstance(record.fact, facts.BarClosed) and HOME.day_of(record.fact.bar.start) > last:
            break
        found.append(record)
    return sorted(found, key=attrgetter("sequence"))


def days_between(folder: Path, first: date | None, last: date | None) -> tuple[date, ...]:
    """Return the days of a journal from `first` to `last`; without them its last day.

    Raises OperatorError: it has none of them.
    """
    known = days_of(folder)
    if not known:
        raise OperatorError(f"there is no journal in {folder}; name a folder that holds one")
    if first is None or last is None:
        return known[-1:]
    found = tuple(day for day in known if first <= day <= last)
    if not found:
        raise OperatorError(f"the journal has no record of it; it goes from {known[0]} to {known[-1]}")
    return found


def _last_prices(folder: Path, days: Sequence[date], symbols: set[Symbol]) -> dict[Symbol, Price]:
    """Return the close of the last earlier bar of each symbol."""
    found: dict[Symbol, Price] = {}
    for day in reversed(days[-MARKS:]):
        if symbols <= found.keys():
            break
        of_day: dict[Symbol, Price] = {}
        for record in records_of(folder, [day], (facts.BarClosed,)):
            if isinstance(record.fact, facts.BarClosed):  # what the journal calls closed is of a regular session
                of_day[record.fact.bar.symbol] = record.fact.bar.close
        found = of_day | found
    return found


@dataclass(frozen=True, slots=True)
class Held:
    """What a journal says is held after its last day.

    Attributes
    ----------
    quantities
        Shares by symbol, of all strategies together, below zero for a short; a symbol that is flat is left out.
    prices
        The close of each symbol's last bar in the last `MARKS` segments, USD.
    """

    day: date
    quantities: Mapping[Symbol, Quantity]
    prices: Mapping[Symbol, Price]


def held(folder: Path) -> Held:
    """Return the positions at the end of a journal. The engine may run meanwhile; the chain is not checked.

    Raises OperatorError: there is no journal.
    """
    known = days_of(folder)
    books = Books()
    for record in records_of(folder, known, POSITIONS):
        books.take(record)
    quantities: dict[Symbol, Quantity] = {}
    for (symbol, _), each in books.standing.items():
        quantities[symbol] = Quantity(quantities.get(symbol, NO_SHARES) + each.quantity)
    open_ = {symbol: quantity for symbol, quantity in quantities.items() if quantity}
    return Held(days_between(folder, None, None)[-1], open_, _last_prices(folder, known, {*open_}))


def _lines_of(kinds: tuple[type[facts.Fact], ...]) -> re.Pattern[bytes]:
    """Return a pattern for lines of these facts, by any of their names."""
    names = [name for name, kind in BY_NAME.items() if kind in [BY_TYPE[one] for one in kinds]]
    return re.compile(rb'\{"seq":\d+,"at":"[^"]*","fact":"(?:%b)"' % "|".join(names).encode())


def records_of(folder: Path, days: Sequence[date], kinds: tuple[type[facts.Fact], ...]) -> Iterator[Recorded]:
    """Yield the records of these facts. The chain is not checked here."""
    wanted = _lines_of(kinds)
    return _read(folder, days, lambda line: wanted.match(line) is not None)


def announced_calendar(folder: Path, first: date, last: date) -> ExchangeCalendar:
    """Return the sessions from `first` on to two weeks after `last`, as the broker announced them to this desk (MD-10).

    The chain is not checked here. Raises `CalendarRangeError`.
    """
    calendar = load_calendar(first, last)
    told = [day for day in days_of(folder) if first - AHEAD <= day <= last]
    for record in records_of(folder, told, (facts.SessionsAnnounced,)):
        assert isinstance(record.fact, facts.SessionsAnnounced)
        calendar.follow(each for each in record.fact.days if each.day >= first)
    return calendar


def _but_bars(folder: Path, days: Sequence[date], symbols: set[Symbol]) -> Iterator[Recorded]:
    """Yield all records except for bars of other symbols: a position may be held for a year.

    The chain is not checked here.
    """
    bars, names = _lines_of((facts.BarClosed,)), [f'"symbol":"{symbol}"'.encode() for symbol in symbols]
    return _read(folder, days, lambda line: bars.match(line) is None or any(name in line for name in names))


def _read(folder: Path, days: Sequence[date], is_wanted: Callable[[bytes], bool]) -> Iterator[Recorded]:
    names = {day.isoformat() for day in days}
    for path in segments(folder):
        if path.stem not in names:
            continue
        with opened(path) as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n") or not is_wanted(line):
                    continue
                try:
                    yield decode(line)
                except RecordError as error:
                    raise JournalDamagedError(f"{path.name}, line {number}: {error}") from error


def day_of_trade(folder: Path, order: str) -> date:
    """Return the day on which the trade closed by this order ended; `order` is the beginning of its id.

    Raises OperatorError: none, or more than one.
    """
    days_between(folder, None, None)
    found = {
        str(record.fact.trade.exit_order): HOME.day_of(record.fact.trade.exit_time)
        for record in records_of(folder, days_of(folder), (facts.TradeClosed,))
        if isinstance(record.fact, facts.TradeClosed) and record.fact.trade.exit_order.startswith(order)
    }
    if len(found) != 1:
        what = "no trade was closed by an order" if not found else f"{len(found)} trades were closed by orders"
        raise OperatorError(f"{what} with an id that begins with {order!r}; `keyturn explain DAY` lists those of a day")
    return found.popitem()[1]


RECENT = 5
"""Earlier segments that may hold an exit request still open: a strategy repeats its request."""
IN_SUMS = (*LISTS, facts.DayCorrected, facts.DayStarted, facts.OrderFilled, facts.TradeClosed)
A_WEEK = timedelta(days=7)
WORKDAYS = timedelta(days=4)


def reported(folder: Path, day: str | None, week: str | None) -> Report:
    """Return the report of that day, of the Monday-to-Friday week of a day, or of the journal's last day.

    Raises OperatorError: one of them is no day, both are given, or the journal has no record of it.
    Raises JournalDamagedError: a record of these days is not valid.
    """
    if day is not None and week is not None:
        raise OperatorError("--day and --week: one of them, not both")
    if week is not None:
        return _of_week(folder, day_named(week))
    days = days_between(folder, None, None) if day is None else days_between(folder, day_named(day), day_named(day))
    return _report_of_days(folder, days)


def _of_week(folder: Path, day: date) -> Report:
    monday = day - timedelta(days=day.weekday())
    days = days_between(folder, monday, monday + WORKDAYS)
    return _report_of_days(
        folder, days, is_week=True, before=_week(folder, monday - A_WEEK), quarter=_quarter(folder, days[-1])
    )


def _quarter(folder: Path, last: date) -> Quarter:
    """Up to that day, of as many sessions as a rolling measure has."""
    from core.analytics.desk_measures import NEEDS  # drags pandas in

    needed = NEEDS["sharpe"]
    first = [day for day in days_of(folder) if day <= last][-needed:][0]
    found = measured(folder, f"{first}..{last}")
    sharpe, deepest = (found.measures.get(name) for name in ("sharpe", "max_drawdown"))
    return Quarter(found.returns, needed, _number(sharpe), _number(deepest))


def _number(value: object) -> float | None:
    return value if isinstance(value, float) else None


def _report_of_days(
    folder: Path,
    days: Sequence[date],
    *,
    is_week: bool = False,
    before: Figures | None = None,
    quarter: Quarter | None = None,
) -> Report:
    sessions = announced_calendar(folder, days[0] - FEES_BACK, days[-1])
    read, status = read_beside(folder, days, FOLDED)
    began = HOME.day_of(read.records[0].at) if read.records else days[0]
    recent = [known for known in days_of(folder) if known < began][-RECENT:]
    status += records_of(folder, recent, STAGED)
    return report_of(
        read, days, HOME.day_of, sessions.session_at, is_week=is_week, status=status, before=before, quarter=quarter
    )


def _week(folder: Path, monday: date) -> Figures | None:
    """Return the sums of a week; None if the journal has no day of it."""
    known = days_of(folder)
    days = [day for day in known if monday <= day <= monday + WORKDAYS]
    if not days:
        return None
    later = [day for day in known if day > days[-1]][:LATER]
    calendar = announced_calendar(folder, days[0] - FEES_BACK, days[-1])
    earlier = FeeDays(calendar.session_on)
    for record in records_of(folder, [day for day in known if day < days[0]][-RECENT:], LISTS):
        earlier.take(record.at, record.fact)
    return week_figures(days, records_of(folder, days, IN_SUMS), records_of(folder, later, AFTER), HOME.day_of, earlier)


EARLIER = (
    *LISTS,
    facts.CorporateActionApplied,
    facts.DayCorrected,
    facts.DayStarted,
    facts.OrderCreated,
    facts.PositionCorrected,
    facts.SharesMoved,
)
"""Facts to read before and after the days in question."""
WITHIN = (*EARLIER, facts.MarginSampled, facts.TradeClosed)


def measured(folder: Path, what: str | None) -> DeskMeasures:
    """Return the measures of a range `2026-11-16..2026-11-20`, of one day, or of the whole journal.

    Raises `OperatorError`, `JournalDamagedError`.
    """
    first, last = asked(folder, what)
    calendar = announced_calendar(folder, days_of(folder)[0] - A_WEEK, last)
    sessions = [session.day for session in calendar.sessions()]
    records = _records_of(folder, first, last)
    venue = calendar.venue
    fees = FeeDays(calendar.session_on, venue)
    return desk_measures(records, first, last, sessions, venue.day_of, lambda at: venue.local(at).time(), fees)


def trades_of_strategies(folder: Path) -> dict[str, list[EndedTrade]]:
    """Return the closed trades of the journal by strategy, in order; those that failed in execution are under
    `FAILED_WORDS` (EX-18).

    Raises `OperatorError`, `JournalDamagedError`.
    """
    days_between(folder, None, None)
    found: dict[str, list[EndedTrade]] = {}
    for record in records_of(folder, days_of(folder), (facts.TradeClosed,)):
        if isinstance(record.fact, facts.TradeClosed):
            trade = record.fact.trade
            name = FAILED_WORDS if trade.is_failed else trade.strategy
            found.setdefault(name, []).append(EndedTrade(HOME.day_of(trade.exit_time), trade.profit))
    return found


def paper_verdicts(folder: Path, theses: Sequence[Thesis]) -> list[Verdict]:
    """Return what paper trades said of these theses on the last night that the engine checked them.

    Raises `OperatorError`, `JournalDamagedError`.
    """
    for day in reversed(days_of(folder)):
        nights = [each.fact for each in records_of(folder, [day], (facts.ThesesChecked,))]
        if nights and isinstance(night := nights[-1], facts.ThesesChecked):
            return [each for each in night.verdicts if each.kind is TradeKind.PAPER and each.thesis in theses]
    return []


def asked(folder: Path, what: str | None) -> tuple[date, date]:
    """Return the first and last day of the range within the journal. Raises `OperatorError`."""
    days_between(folder, None, None)
    if not what:
        known = days_of(folder)
        return known[0], known[-1]
    first, dots, last = what.partition("..")
    if DAY.fullmatch(first) is None:
        raise OperatorError(f"{what} is no day and no days; write 2026-11-19 or 2026-11-16..2026-11-20")
    days = days_between(folder, day_named(first), day_named(last) if dots else day_named(first))
    return days[0], days[-1]


def _records_of(folder: Path, first: date, last: date) -> Iterator[Recorded]:
    """Yield the records; a trade is recorded with its last fill's report, which may be a day after the fill."""
    known = days_of(folder)
    after = [day for day in known if day > last][:LATER]
    yield from records_of(folder, [day for day in known if day < first], EARLIER)
    yield from records_of(folder, [day for day in known if first <= day <= last], WITHIN)
    yield from records_of(folder, after, (*EARLIER, facts.TradeClosed))
