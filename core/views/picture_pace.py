"""How often the engine draws its picture: news at once, prices as often as an eye can read them."""

from __future__ import annotations

from collections.abc import Callable

NEWS = 0.004
"""Seconds of the wall between two pictures, at least, where something was recorded: a ticket that opens waits for no
picture.
"""
PRICES = 0.25
"""The same while only prices move: four a second are read with ease, and each costs the engine and the desk work."""
REST = 1.0
"""Seconds between two pictures of a desk on which nothing happens."""


def is_due(since: float, *, has_news: bool, has_changed: Callable[[], bool]) -> bool:
    """Whether another picture is due, so many seconds after the last."""
    return (has_news and since >= NEWS) or since >= REST or (since >= PRICES and has_changed())
