"""Draw views for the attached desks, in the engine's thread at its beats.

One drawing serves every desk. None is drawn while no desk is attached or none has room for another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from core.model.values import Symbol
from core.runtime.base import Runtime
from core.views import ChartView, DeskView
from core.views.picture_pace import is_due


@dataclass(frozen=True, slots=True)
class Wish:
    """The symbols that desks watch, None for a desk that watches none; `at_once` if a desk has no view yet."""

    symbols: frozenset[Symbol | None]
    at_once: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """A view of one instant.

    Attributes
    ----------
    preparing
        The progress of the preparation before there is a view; None afterwards.
    charts
        The chart of each watched symbol; a desk's view has the one that it watches.
    clock, rate
        The engine's time at the drawing, and its seconds per second of wall time.
    presses
        The number of halts and kills that it includes.
    """

    view: DeskView | None
    preparing: str | None
    charts: Mapping[Symbol, ChartView | None]
    clock: datetime
    rate: float
    presses: int


class PictureFeed:
    """The views of one runtime.

    Parameters
    ----------
    wish
        Returns which views the ready desks need; None if no desk waits for one.
    show
        Takes a view; called in the engine's thread, never waits.
    """

    def __init__(
        self,
        runtime: Runtime,
        wish: Callable[[], Wish | None],
        show: Callable[[Drawn], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime = runtime
        self._wish = wish
        self._show = show
        self._now = now
        self._drawn_at = 0.0

    def look(self) -> None:
        """Draw a view if one is due; called at every beat of the engine."""
        wish = self._wish()
        if wish is None:
            return
        since = self._now() - self._drawn_at
        has_news = wish.at_once or self._runtime.has_news()
        if is_due(since, has_news=has_news, has_changed=self._runtime.has_changed):
            self._draw(wish.symbols)

    def _draw(self, symbols: frozenset[Symbol | None]) -> None:
        runtime = self._runtime
        self._drawn_at = self._now()
        presses = runtime.latch.obeyed
        preparing = runtime.preparing()
        view = None if preparing is not None else runtime.picture()
        charts = {symbol: runtime.chart_of(symbol, view) for symbol in symbols if view is not None and symbol}
        self._show(Drawn(view, preparing, charts, runtime.clock(), runtime.rate, presses))
