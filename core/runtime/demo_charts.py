"""What a chart of a demo has of the sessions before today's: its market follows from a seed, those from before it too.

Made in a thread of its own, a day at a time, with pauses: the desk is not slower meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import date
from threading import Thread

from core.model.bar import Bar
from core.model.session import Session
from core.model.values import Symbol
from core.model.venues import HOME
from core.runtime.chart_history import SESSIONS, ChartBook
from core.runtime.demo_market import DemoMarket, weekday_before
from core.views.chart_past import ChartPast, day_of, hours_of

DAYS = 60
"""Sessions, about a quarter."""
PAUSE = 0.05
"""Seconds of the wall after each day."""


class DemoCharts(ChartBook):
    """Of one demo; `sessions` are those of its calendar, which begins with its first day."""

    def __init__(self, market: DemoMarket, seed: int, sessions: Sequence[Session]) -> None:
        super().__init__()
        self._market = market
        self._seed = seed
        self._sessions = tuple(sessions)
        self._worker: Thread | None = None

    def of(self, symbol: Symbol, day: date) -> ChartPast | None:
        known = super().of(symbol, day)
        if known is None and (self._worker is None or not self._worker.is_alive()):
            self._worker = Thread(target=self._make, name="keyturn-charts", daemon=True)
            self._worker.start()
        return known

    def _make(self) -> None:
        """What is wanted now; what is wanted meanwhile is asked for again."""
        for symbol, day in self.take_wanted():
            self.keep(self.made(symbol, day, PAUSE))

    def made(self, symbol: Symbol, day: date, pause: float = 0.0) -> ChartPast:
        """What a session on that day has behind it."""
        days, last = [], list[Bar]()
        sessions = self._before(day)
        for number, session in enumerate(sessions):
            minutes = self._market.minutes(self._seed, symbol, session)
            whole = day_of(HOME.start_of(session.day), minutes)
            days += [] if whole is None else [whole]
            if number >= len(sessions) - SESSIONS:
                last += minutes
            time.sleep(pause)
        return ChartPast(symbol, day, tuple(days), hours_of(last), ())

    def _before(self, day: date) -> list[Session]:
        """The oldest first."""
        found = [session for session in self._sessions if session.day < day][-DAYS:]
        first = found[0] if found else self._sessions[0]
        while len(found) < DAYS:
            first = weekday_before(first)
            found.insert(0, first)
        return found
