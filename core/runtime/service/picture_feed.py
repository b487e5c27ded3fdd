"""When a picture is drawn for the desks that are attached: in the engine's thread, at its beats, for whoever is ready.

One drawing serves every desk. Where nobody is attached, or nobody has room for another picture, none is drawn.
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
    """The symbols that desks watch, None for a desk that watches none; `at_once` where one has no picture yet."""

    symbols: frozenset[Symbol | None]
    at_once: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is shown at one instant.

    Attributes
    ----------
    preparing
        What is prepared before there is a picture, in words; None once there is one.
    charts
        Of each symbol that some desk watches; a desk's picture has the one of its own.
    clock, rate
        The engine's time as it was drawn, and its seconds in one of the wall.
    presses
        The halts and kills that are in it.
    """

    view: DeskView | None
    preparing: str | None
    charts: Mapping[Symbol, ChartView | None]
    clock: datetime
    rate: float
    presses: int


class PictureFeed:
    """One runtime's.

    Parameters
    ----------
    wish
        What the desks that have room for a picture want in it; None where none of them waits for one.
    show
        Takes a picture; called in the engine's thread, never waits.
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
        """At every beat of the engine."""
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
