"""Exponential backoff with jitter, so that many desks do not retry at once."""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=1)
LONGEST = timedelta(seconds=30)
_DOUBLINGS = 16
"""More would exceed the longest pause anyway."""


def pause(tries: int, chance: float, longest: timedelta = LONGEST) -> timedelta:
    """Return half to the whole of 1, 2, 4 … seconds, at most `longest`.

    Parameters
    ----------
    tries
        Failed attempts, from 1.
    chance
        A random number from 0 to 1.
    """
    whole = min(FIRST * (1 << min(max(tries, 1) - 1, _DOUBLINGS)), longest)
    return whole / 2 + whole / 2 * chance


def asked_for(header: str | None, longest: timedelta = LONGEST) -> timedelta | None:
    """Return the seconds of a `Retry-After`, at most `longest`; None without a number (a date is not parsed)."""
    if header is None or not header.strip().isascii() or not header.strip().isdigit():
        return None
    return timedelta(seconds=min(int(header.strip()[:9]), int(longest.total_seconds())))
