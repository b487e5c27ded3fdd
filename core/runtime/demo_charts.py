"""Chart history of a demo, generated from the seed, including the days before the demo began.

A separate thread generates it a day at a time, with pauses so that the desk stays responsive. The last sessions come
first; earlier ones follow.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Thread

from core.market.calendar import load_calendar
from core.model.bar import Bar
from core.model.session import Session
from core.model.values import Symbol
from core.model.venues import HOME
from core.runtime.chart_history import SESSIONS, ChartBook
from core.runtime.demo_market import DemoMarket
from core.views.chart_past import ChartPast, day_of, hours_of
from core.views.results import ChartBar

DAYS = 126
"""Sessions: half a year."""
THEIR_SPAN = timedelta(days=2 * DAYS)
"""A span that contains at least `DAYS` sessions, with any holidays."""
PAUSE = 0.05
"""Seconds of wall time to pause after each day."""


class DemoCharts(ChartBook):
    """The chart history of one demo.

    Parameters
    ----------
    sessions
        The demo's sessions, from the first on.
    told
        The symbols whose minutes the desk receives; the chart of any other symbol has none of today.
    """

    def __init__(self, market: DemoMarket, seed: int, sessions: Sequence[Session], told: Sequence[Symbol] = ()) -> None:
        super().__init__()
        self._market = market
        self._seed = seed
        self._sessions = tuple(sessions)
        self._told = frozenset(told)
        self._earlier: tuple[Session, ...] = ()
        self._worker: Thread | None = None

    def of(self, symbol: Symbol, day: date, until: datetime) -> ChartPast | None:
        known = super().of(symbol, day, until)
        if known is None and (self._worker is None or not self._worker.is_alive()):
            self._worker = Thread(target=self._make, name="keyturn-charts", daemon=True)
            self._worker.start()
        return known

    def _make(self) -> None:
        """Generate the requested history; new requests come before more days of known symbols."""
        short: list[ChartPast] = []
        while (wanted := self.take_wanted()) or short:
            if wanted:
                made = [self.made(symbol, day, PAUSE) for symbol, day in wanted]
            else:
                made = [self.longer(short.pop(), PAUSE)]
            for past in made:
                self.keep(past)
            short += [past for past in made if len(past.days) < DAYS]

    def made(self, symbol: Symbol, day: date, pause: float = 0.0) -> ChartPast:
        """Generate the history up to a session: the last sessions by days and by hours, and the day's own minutes."""
        sessions = self._before(day)[-SESSIONS:]
        minutes = [self._minutes(symbol, session, pause) for session in sessions]
        today = next((session for session in self._sessions if session.day == day), None)
        is_told = today is not None and symbol in self._told
        return ChartPast(
            symbol,
            day,
            _days(sessions, minutes),
            hours_of(bar for bars in minutes for bar in bars),
            tuple(self._minutes(symbol, today, pause)) if today is not None and is_told else (),
            HOME.end_of(day),
        )

    def longer(self, past: ChartPast, pause: float = 0.0) -> ChartPast:
        """Return the history with as many sessions more, up to half a year."""
        sessions = self._before(past.day)[: -len(past.days)][-SESSIONS:]
        minutes = [self._minutes(past.symbol, session, pause) for session in sessions]
        return replace(past, days=(*_days(sessions, minutes), *past.days))

    def _minutes(self, symbol: Symbol, session: Session, pause: float) -> Sequence[Bar]:
        made = self._market.minutes(self._seed, symbol, session)
        time.sleep(pause)
        return made

    def _before(self, day: date) -> list[Session]:
        """Return the last sessions before that day, by the exchange's calendar also for days before the demo began."""
        first = self._sessions[0].day
        if not self._earlier:
            loaded = load_calendar(first - THEIR_SPAN, first - timedelta(days=1)).sessions()
            self._earlier = tuple(session for session in loaded if session.day < first)
        return [session for session in (*self._earlier, *self._sessions) if session.day < day][-DAYS:]


def _days(sessions: Sequence[Session], minutes: Sequence[Sequence[Bar]]) -> tuple[ChartBar, ...]:
    made = (day_of(HOME.start_of(session.day), bars) for session, bars in zip(sessions, minutes, strict=True))
    return tuple(day for day in made if day is not None)
