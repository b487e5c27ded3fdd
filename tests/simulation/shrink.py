"""The shortest list of events, found in a number of tries, that still goes wrong."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.play import play
from tests.simulation.sessions import Event, Session


def goes_wrong(session: Session) -> bool:
    """Whether playing it finds a failure, or an order that was refused wrongly."""
    played = play(session)
    return bool(played.failures or played.zeros.refused_wrongly)


def shrunk(session: Session, tries: int, is_wrong: Callable[[Session], bool] = goes_wrong) -> Session:
    """Leave out halves, then smaller pieces, as long as the rest is still wrong; try `tries` sessions at most."""
    size = len(session.events) // 2
    while size and tries:
        place = 0
        while place < len(session.events) and tries:
            fewer = session.having(_without(session.events, place, size))
            tries -= 1
            if is_wrong(fewer):
                session = fewer
            else:
                place += size
        size //= 2
    return session


def _without(events: tuple[Event, ...], place: int, many: int) -> tuple[Event, ...]:
    return events[:place] + events[place + many :]
