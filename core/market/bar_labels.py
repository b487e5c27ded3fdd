"""Whether the times of a file's minutes are the ends of its bars (MD-08).

A minute that begins at the close lies outside of the session, and one that ends at the open lies before it. A file of
one session's hours with bars at the close and none at the open has the times of their ends, wherever its days begin and
however few minutes traded. The same holds for the bounds of the extended hours, where a file has these. Within them the
volume shows it too: it leaps in the first minute of the session and falls after the last one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from core.files.csv_files import FIRST_ROW, FileFault, TableError
from core.market.calendar import CalendarRangeError, load_calendar
from core.model.bar import ONE_MINUTE
from core.model.session import HOME
from core.model.values import ZERO

A_NIGHT = timedelta(hours=6)
"""Between two days of a file, and less than any night."""
NEAR_BOUNDS = (0, 1, 30, 31, 59)
"""The minutes of an hour at which hours begin and end, and those beside them that are compared."""
BOUNDS = frozenset({time(4), HOME.opens, time(13), HOME.closes, time(17), time(20)})
"""Where sessions and extended hours begin and end, on usual and on short days, by the exchange's clock."""
AFTER_OPEN = (datetime.combine(date.min, HOME.opens) + ONE_MINUTE).time()
BEFORE_CLOSE = (datetime.combine(date.max, HOME.closes) - ONE_MINUTE).time()
COMPARED = frozenset({HOME.opens, AFTER_OPEN, BEFORE_CLOSE, HOME.closes})
"""The times of day whose volumes are compared."""
LEAP = 2
"""The volume of the first minute for one of the minute before it; the second minute has about as much as the first."""
MANY_TIMES = 4
"""Bars at the close for one at the open show ends: a single odd row changes nothing."""
FEWEST = 3
"""Rows of a file that shows how its bars are labelled."""


class BarLabels:
    """The times of a file's rows as they are read: those at the bounds of hours, and the first and last of each day."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._many = 0
        self._ends: list[datetime] = []
        self._last: datetime | None = None
        self._rows_at_bounds: dict[datetime, int] = {}
        self._volumes = dict.fromkeys(COMPARED, ZERO)

    def add(self, index: int, at: datetime, volume: Decimal) -> None:
        """Add the time, UTC, and the volume of the row with this index."""
        self._many += 1
        if at.minute in NEAR_BOUNDS:
            clock = HOME.local(at).time()
            if clock in BOUNDS:
                self._rows_at_bounds.setdefault(at, index)
            if clock in COMPARED:
                self._volumes[clock] += volume
        if self._last is None:
            self._ends.append(at)
        elif at - self._last >= A_NIGHT:
            self._ends += (self._last, at)
        self._last = at

    def require_starts(self) -> None:
        """Refuse minutes with the times of their ends, at the first at a close. Raises `TableError`."""
        if self._last is None or self._many < FEWEST:
            return
        ends = (*self._ends, self._last)
        try:
            calendar = load_calendar(HOME.day_of(ends[0]), HOME.day_of(self._last))
        except CalendarRangeError:
            return
        sessions = {session.day: session for session in calendar.sessions()}
        regular = {day: (session.open, session.close) for day, session in sessions.items()}
        extended = {day: HOME.extended_span(session) for day, session in sessions.items()}
        hours = next((hours for hours in (regular, extended) if _are_within(ends, hours)), {})
        closes = [close for _, close in hours.values() if close in self._rows_at_bounds]
        opens = [opened for opened, _ in hours.values() if opened in self._rows_at_bounds]
        if closes and len(closes) >= MANY_TIMES * len(opens):
            clock = f"{HOME.local(closes[0]):%H:%M}"
            shown = f"it has bars at the close ({clock}) and none at the open"
            raise self._refusal(closes[0], shown, f"those at {clock}")
        regular_closes = [close for _, close in regular.values() if close in self._rows_at_bounds]
        if hours is extended and regular_closes and self._leaps_after_the_open():
            shown = f"its volume leaps at {AFTER_OPEN:%H:%M} and falls after {HOME.closes:%H:%M}"
            raise self._refusal(
                regular_closes[0], shown, f"all before {HOME.opens:%H:%M} and after {BEFORE_CLOSE:%H:%M}"
            )

    def _leaps_after_the_open(self) -> bool:
        """Return whether the first and the last minute of the session have the volumes of the next ones."""
        opened, after, before, closed = (
            self._volumes[clock] for clock in (HOME.opens, AFTER_OPEN, BEFORE_CLOSE, HOME.closes)
        )
        return after >= LEAP * opened > ZERO and closed >= before > ZERO

    def _refusal(self, close: datetime, shown: str, left_out: str) -> TableError:
        """Return the refusal at the row of a close; `left_out` are the rows without which starts are taken."""
        line = self._rows_at_bounds[close] + FIRST_ROW
        write = f"{close - ONE_MINUTE:%Y-%m-%dT%H:%M:%SZ}"
        return TableError(
            f"{self._path}:{line}: {shown}, so each bar has the time of its end: subtract a minute from every time, "
            f"here {write}; if they are starts, leave out {left_out}",
            FileFault.LABELS,
            line=line,
            column=self._column,
            write=write,
        )


def _are_within(ends: Iterable[datetime], hours: Mapping[date, tuple[datetime, datetime]]) -> bool:
    """Return whether the first and last times of all days lie within these hours or at their ends."""
    spans = ((at, hours[day]) for at in ends if (day := HOME.day_of(at)) in hours)
    return all(first <= at <= last for at, (first, last) in spans)
