"""Pace of the views: news at once, prices as often as they can be read."""

from __future__ import annotations

from collections.abc import Callable

NEWS = 0.004
"""Minimum real seconds between two views after a record: an opened ticket does not wait for a view."""
PRICES = 0.25
"""The same while only prices move: four per second are readable, and each costs the engine and the desk work."""
REST = 1.0
"""Seconds between two views of a desk without events."""


def is_due(since: float, *, has_news: bool, has_changed: Callable[[], bool]) -> bool:
    """Whether another view is due this many seconds after the last."""
    return (has_news and since >= NEWS) or since >= REST or (since >= PRICES and has_changed())
