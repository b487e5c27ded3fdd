"""Windows of the day in which entries may begin, as a list (RK-07)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, TypeAlias

from pydantic import PlainSerializer, PlainValidator

from core.model.session import Session, Venue, window_of

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
Span = tuple[datetime, datetime]
"""The first and the last bar start of an entry, UTC, both included."""


@dataclass(frozen=True, slots=True, order=True)
class EntryWindow:
    """The first and the last bar start of an entry, in the venue's time, both included."""

    first: time
    last: time

    def __str__(self) -> str:
        return f"{self.first:%H:%M}-{self.last:%H:%M}"


def window_in(written: object) -> EntryWindow:
    """Read `10:00-11:30`. Raises ValueError."""
    if isinstance(written, EntryWindow):
        return written
    found = _WINDOW.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError('must be two times of day, as in "10:00-11:30"')
    hour, minute, last_hour, last_minute = map(int, found.groups())
    window = EntryWindow(time(hour, minute), time(last_hour, last_minute))
    if window.first > window.last:
        raise ValueError("must not end before it begins; both times are of one day")
    return window


WrittenWindow: TypeAlias = Annotated[EntryWindow, PlainValidator(window_in), PlainSerializer(str)]
"""In settings it is the text `10:00-11:30`."""


def joined(windows: Iterable[EntryWindow]) -> tuple[EntryWindow, ...]:
    """Return them by time; those that overlap, or leave no minute between them, become one."""
    found: list[EntryWindow] = []
    for window in sorted(windows):
        if found and minute_of(window.first) <= minute_of(found[-1].last) + 1:
            window = EntryWindow(found[-1].first, max(found.pop().last, window.last))  # noqa: PLW2901
        found.append(window)
    return tuple(found)


def minute_of(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def is_no_wider(windows: tuple[EntryWindow, ...], than: tuple[EntryWindow, ...]) -> bool:
    """Return whether joined windows allow nothing that others do not; no window at all allows any time."""
    if not windows or not than:
        return not than
    return all(any(other.first <= each.first and each.last <= other.last for other in than) for each in windows)


def spans_of(
    venue: Venue, session: Session, account: tuple[time, time], windows: tuple[EntryWindow, ...]
) -> tuple[Span, ...]:
    """Return the times of a session that are inside the account's window and one of these; without any, the account's.

    Each moves with an early close by itself, as `window_of` says.
    """
    opens, shuts = window_of(venue, session, *account)
    if not windows:
        return ((opens, shuts),)
    each = (window_of(venue, session, window.first, window.last) for window in windows)
    cut = ((max(first, opens), min(last, shuts)) for first, last in each)
    return tuple((first, last) for first, last in cut if first <= last)
