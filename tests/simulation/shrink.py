"""The shortest list of events, found in the time given, that still goes wrong."""

from __future__ import annotations

import time

from tests.simulation.play import play
from tests.simulation.sessions import Event, Session


def shrunk(session: Session, seconds: float) -> Session:
    """Leave out halves, then smaller pieces, as long as what remains still fails."""
    until = time.monotonic() + seconds
    size = len(session.events) // 2
    while size:
        session = _without_pieces(session, size, until)
        size //= 2
        if time.monotonic() > until:
            break
    return session


def _without_pieces(session: Session, size: int, until: float) -> Session:
    place = 0
    while place < len(session.events) and time.monotonic() < until:
        fewer = session.having(_without(session.events, place, size))
        if play(fewer).failures:
            session = fewer
        else:
            place += size
    return session


def _without(events: tuple[Event, ...], place: int, many: int) -> tuple[Event, ...]:
    return events[:place] + events[place + many :]
