"""How long to wait before the next try: doubling, with chance in it so that a thousand desks do not come at once."""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=1)
LONGEST = timedelta(seconds=30)
_DOUBLINGS = 16
"""More would only be a larger number to cut off."""


def pause(tries: int, chance: float, longest: timedelta = LONGEST) -> timedelta:
    """Half to the whole of 1, 2, 4 … seconds, at most `longest`.

    Parameters
    ----------
    tries
        That have failed, from 1.
    chance
        Drawn from 0 to 1.
    """
    whole = min(FIRST * (1 << min(max(tries, 1) - 1, _DOUBLINGS)), longest)
    return whole / 2 + whole / 2 * chance


def asked_for(header: str | None, longest: timedelta = LONGEST) -> timedelta | None:
    """The seconds of a `Retry-After`, at most `longest`; None where it names none (a date is not read)."""
    if header is None or not header.strip().isascii() or not header.strip().isdigit():
        return None
    return timedelta(seconds=min(int(header.strip()[:9]), int(longest.total_seconds())))
