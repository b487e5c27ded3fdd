"""Alpaca announces an early close, over real sockets, with a kill between (MD-10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from core.facts import SessionsAnnounced
from core.model.session import AnnouncedDay, Session
from tests.kit.announced_days import announces
from tests.kit.timeline import Timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import Open, a_desk, started, waits, written
from tests.wire.test_contradicting_exchange import as_a_kill_leaves_it

SOON = timedelta(minutes=30)


def announces_an_early_close(market: LoopbackExchange) -> datetime:
    """In half an hour, by its calendar and its clock."""

    def announce() -> datetime:
        floor = market.floor
        now = floor.catch_up()
        session = floor.calendar.session_at(now)
        assert isinstance(session, Session)
        close = (now + SOON).replace(second=0, microsecond=0)
        announces(floor._exchange, now, [AnnouncedDay(session.day, replace(session, close=close))])
        return close

    found = market.call(announce)
    assert isinstance(found, datetime)
    return found


def announced(desk: Open) -> list[datetime]:
    """The closes that were announced of today."""
    today = desk.runtime.engine.state.calendar.trading_day(desk.runtime.engine.state.at)
    return [
        day.session.close
        for fact in written(desk)
        if isinstance(fact, SessionsAnnounced)
        for day in fact.days
        if day.day == today and day.session is not None
    ]


def session_ends(desk: Open) -> datetime | None:
    view = waits(desk, lambda view: view.protections, "the rows")
    return next(row.until for row in view.protections if row.key == "session")


def test_an_early_close_is_followed_and_outlives_a_kill(
    market: LoopbackExchange, tmp_path: Path, timeline: Timeline
) -> None:
    """the clock tells within a minute; the next engine knows it although the calendar does not answer"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        waits(desk, lambda view: view.status.word == "on", "the agreement")
        before = len(announced(desk))
        close = announces_an_early_close(market)
        timeline.advance(65)
        waits(desk, lambda _: len(announced(desk)) > before, "the announcement")
        ends = session_ends(desk)
        home = as_a_kill_leaves_it(home)
    market.make("server-error", of="calendar", times=1000)
    with started(market, home) as desk:
        waits(desk, lambda view: view.status.word == "on", "the agreement again")
        again = session_ends(desk)

    assert (ends, again) == (close, close)


def test_what_was_announced_while_no_engine_ran_is_known_at_its_start(
    market: LoopbackExchange, tmp_path: Path, timeline: Timeline
) -> None:
    """before anything is judged by the table"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        waits(desk, lambda view: view.status.word == "on", "the agreement")
        home = as_a_kill_leaves_it(home)
    close = announces_an_early_close(market)
    with started(market, home) as desk:
        waits(desk, lambda view: view.status.word == "on", "the agreement again")

        assert announced(desk)[-1] == close
        assert session_ends(desk) == close
    assert timeline is not None
