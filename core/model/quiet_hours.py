"""Quiet hours by a venue's clock: one interval each night, also when that clock changes (SY-03)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from core.model.venue import ONE_DAY, Venue

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begins` to before `ends`, over midnight if that is earlier.

    A time skipped when the clock goes forward is the first instant after the gap; one that occurs twice when it goes
    back is the first of the two. So a night has one beginning and one end, an hour shorter or longer.
    """

    begins: time
    ends: time

    def end_at(self, at: datetime, venue: Venue) -> datetime | None:
        """Return when the quiet hours at an instant end, UTC; None if there are none."""
        return next((end for begin, end in self._around(at, venue) if begin <= at < end), None)

    def _around(self, at: datetime, venue: Venue) -> Iterator[tuple[datetime, datetime]]:
        today = venue.day_of(at)
        for day in (today - ONE_DAY, today):
            last = day if self.begins < self.ends else day + ONE_DAY
            yield instant(venue, day, self.begins), instant(venue, last, self.ends)


def instant(venue: Venue, day: date, clock: time) -> datetime:
    """Return the first instant at which a venue's clock shows a time of a day, or is past it; UTC."""
    wanted = datetime.combine(day, clock)
    late = wanted.replace(tzinfo=venue.zone, fold=0).astimezone(UTC)
    if venue.local(late).replace(tzinfo=None) == wanted:
        return late
    early = wanted.replace(tzinfo=venue.zone, fold=1).astimezone(UTC)  # of a skipped time: before the gap
    seconds = range(int((late - early) / SECOND))
    found = bisect_left(seconds, wanted, key=lambda n: venue.local(early + n * SECOND).replace(tzinfo=None))
    return early + found * SECOND


def next_time(venue: Venue, at: datetime, clocks: tuple[time, ...]) -> datetime:
    """Return the first instant after `at` at which its clock shows one of these times, UTC; `clocks` is not empty."""
    today = venue.day_of(at)
    found = (instant(venue, day, clock) for day in (today, today + ONE_DAY, today + 2 * ONE_DAY) for clock in clocks)
    return min(each for each in found if each > at)
