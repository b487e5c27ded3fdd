"""The interface of a strategy.

A strategy is a plug-in of one file: a name, a state, one method. It reads only the bar's time, never a clock; its
positions, orders and limits are in its `Context` (`context.py`). It can only propose (OP-01).
"""

from __future__ import annotations

from datetime import date
from typing import Any, Protocol

from core.model.bar import Bar
from core.model.signal import Answer
from core.strategies.context import Context

Figures = tuple[tuple[str, str], ...]


PATIENCE = 2.0
"""Time limit of one answer in seconds; a process that has not answered by then is ended."""


class OverdueError(Exception):
    """There was no answer in time."""

    def __init__(self) -> None:
        super().__init__(f"no answer in {PATIENCE:g} s; its process was ended")


class Strategy(Protocol):
    """Receives every complete bar of its symbol and answers (ST-01). One instance per symbol.

    `state` is a slots dataclass of plain values: the whole memory of the strategy, saved and restored from outside.
    """

    name: str
    state: Any

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        """Fold the bar into the state and answer. Same state, bar and context: same answer."""
        ...

    def figures(self, day: date) -> Figures:
        """Return the trading day's figures for display: pairs of name and text."""
        ...
