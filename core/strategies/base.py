"""What a strategy is.

A strategy is a plug-in of one file: a name, a state, one method. It reads only the bar's time, never a clock; what it
may know of positions, orders and limits stands in its `Context` (`context.py`). It proposes and nothing else (OP-01).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Protocol

from core.model.bar import Bar
from core.model.signal import Answer
from core.strategies.context import Context

Figures = tuple[tuple[str, str], ...]


PATIENCE = 2.0
"""Seconds that one answer may take; the process that has not given it by then is ended."""


class OverdueError(Exception):
    """There was no answer in time."""

    def __init__(self) -> None:
        super().__init__(f"no answer in {PATIENCE:g} s; its process was ended")


class Strategy(Protocol):
    """Looks at every complete bar of its symbol and answers (ST-01). One instance a symbol.

    `state` is a slots dataclass of plain values: the whole memory of the strategy, saved and restored from outside.
    """

    name: str
    state: Any

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        """Fold the bar into the state and answer. Same state, bar and context: same answer."""
        ...

    def figures(self, day: date) -> Figures:
        """What it measures of that trading day, for a person: name and value in words."""
        ...
