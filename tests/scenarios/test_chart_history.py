"""What a chart has of the time before the engine heard anything: asked for when it is looked at, and only drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby

import pytest
from syrupy.assertion import SnapshotAssertion

from core.engine import Engine
from core.facts import BarClosed, WatchlistKept
from core.market.calendar import load_calendar
from core.market.port import MarketDataError
from core.market.synthetic import synthetic_sessions
from core.messages.inputs import BarArrived, MarketDataBroken, Start
from core.model.account import Mode
from core.model.bar import ONE_MINUTE, Bar
from core.model.session import HOME
from core.model.values import Symbol
from core.runtime import demo, demo_market
from core.runtime.demo_market import CALM, DemoCharts
from core.runtime.reference_data import AGAIN, KEPT, ChartBook, ChartWatch
from core.settings.settings import Settings
from core.trading_state.checkpoint import rebuild
from core.views.builders.symbols import LOOKED_AT, Charts
from core.views.results import ChartPast
from state.journal import MemoryJournal

SPY, IBM, TODAY = Symbol("SPY"), Symbol("IBM"), date(2026, 2, 10)
CALENDAR = load_calendar(date(2025, 12, 1), date(2026, 2, 13))
SESSIONS = [session for session in CALENDAR.sessions() if date(2026, 1, 5) <= session.day <= TODAY]
OPEN = SESSIONS[-1].open
MARKET = list(synthetic_sessions(1, SPY, SESSIONS))
LATE = OPEN + 90 * ONE_MINUTE


class Source:
    """A history, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_away = False

    def minutes(self, symbols: Sequence[Symbol], start: datetime, end: datetime) -> list[BarArrived | MarketDataBroken]:
        self.asked += 1
        if self.is_away:
            raise MarketDataError("nobody answered")
        asked = [bar for bar in MARKET if start <= bar.start < end]
        return [BarArrived(replace(bar, symbol=symbol), "test") for symbol in symbols for bar in asked]

    def days(self, symbol: Symbol) -> list[Bar]:
        days = groupby((bar for bar in MARKET if bar.start < OPEN), key=lambda bar: HOME.day_of(bar.start))
        return [replace(next(iter(bars)), start=HOME.start_of(day), symbol=symbol) for day, bars in days]


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


def a_watch(source: Source, clock: Clock) -> ChartWatch:
    return ChartWatch(source.minutes, source.days, CALENDAR, clock)


def a_desk(at: datetime) -> Engine:
    engine = Engine("live", Mode.PAPER, CALENDAR, MemoryJournal())
    rebuild(engine.state, None)
    engine.apply(at, Settings(), "test")
    list(engine.handle(at, Start()))
    return engine


def hears(engine: Engine, bars: Sequence[Bar]) -> None:
    for bar in bars:
        list(engine.handle(max(bar.end, engine.state.at), BarArrived(bar, "test")))


def todays(first: int, last: int) -> list[Bar]:
    return [bar for bar in MARKET if OPEN + first * ONE_MINUTE <= bar.start < OPEN + last * ONE_MINUTE]


def test_a_late_start_draws_the_whole_session() -> None:
    """MD-06: the measure is that of a desk that heard every minute."""
    watch = a_watch(Source(), Clock(LATE))
    late, whole = a_desk(LATE), a_desk(OPEN)
    charts, all_day = Charts(late.state, watch.book.of), Charts(whole.state)
    charts.begin(LATE)
    all_day.begin(OPEN)
    hears(whole, todays(0, 95))
    assert charts.draw(SPY, LATE, ()) is not None  # asks for it

    watch.look(SPY)
    hears(late, todays(90, 95))

    drawn, other = charts.draw(SPY, late.state.at, ()), all_day.draw(SPY, whole.state.at, ())
    assert drawn is not None
    assert other is not None
    assert len(drawn.bars) == 95
    assert drawn.bars == other.bars


def test_past_sessions_come_as_days_and_hours() -> None:
    """MD-06"""
    watch = a_watch(Source(), Clock(LATE))
    watch.look(SPY)

    past = watch.book.of(SPY, TODAY, LATE)

    assert past is not None
    assert len(past.days) == len(SESSIONS) - 1
    assert HOME.day_of(past.days[-1].start) == date(2026, 2, 9)
    assert len(past.hours) == 70
    assert [HOME.local(bar.start).hour for bar in past.hours[:7]] == [9, 10, 11, 12, 13, 14, 15]
    monday = [bar for bar in MARKET if HOME.day_of(bar.start) == date(2026, 2, 9)]
    assert past.hours[-1].close == monday[-1].close
    assert sum(bar.volume for bar in past.hours[-7:]) == sum(bar.volume for bar in monday)


def test_history_is_asked_for_once_a_day() -> None:
    source, clock = Source(), Clock(LATE)
    watch = a_watch(source, clock)

    assert watch.book.take_wanted() == ()
    assert watch.book.of(SPY, TODAY, LATE) is None
    assert watch.book.take_wanted() == ((SPY, TODAY),)
    watch.look(SPY)
    assert watch.book.of(SPY, TODAY, LATE) is not None
    assert watch.book.take_wanted() == ()
    assert watch.book.of(SPY, TODAY + timedelta(days=1), LATE) is None
    assert watch.book.take_wanted() == ((SPY, TODAY + timedelta(days=1)),)


def test_a_failed_history_is_asked_again(snapshot: SnapshotAssertion) -> None:
    source, clock = Source(), Clock(LATE)
    source.is_away, watch = True, a_watch(source, clock)

    said = watch.look(SPY)
    assert said is not None
    assert said.reason == snapshot
    assert watch.look(SPY) is None
    assert source.asked == 1
    clock.at += AGAIN
    assert watch.look(SPY) is None
    source.is_away = False
    clock.at += AGAIN
    assert watch.look(SPY) is None
    assert source.asked == 3
    assert watch.book.of(SPY, TODAY, LATE) is not None


def test_the_book_keeps_the_latest_symbols() -> None:
    book = ChartBook()
    symbols = [Symbol(f"S{number}") for number in range(KEPT + 3)]
    for symbol in symbols:
        book.keep(ChartPast(symbol, TODAY, (), (), (), LATE))

    assert [symbol for symbol in symbols if book.of(symbol, TODAY, LATE) is not None] == symbols[3:]


DAYS = 30


def all_days_of(charts: DemoCharts, day: date) -> ChartPast:
    past = charts.made(SPY, day)
    while len(past.days) < DAYS:
        past = charts.longer(past)
    return past


def test_a_demo_has_days_before_its_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """MD-06: what is drawn of the day before is what the change since it is measured by."""
    monkeypatch.setattr(demo_market, "DAYS", DAYS)
    calendar = load_calendar(demo.FIRST_DAY, demo.LAST_DAY)
    sessions = demo.sessions_from(calendar, demo.FIRST_DAY)
    charts = DemoCharts(CALM, 1, sessions)

    first, later = all_days_of(charts, sessions[0].day), all_days_of(charts, sessions[5].day)

    assert len(first.days) == len(later.days) == DAYS
    assert first.days[-1].start == HOME.start_of(date(2026, 1, 2))
    assert later.days[:-5] == first.days[5:]
    assert later.days[-1].close == CALM.day(1, SPY, sessions[4])[-1].close
    drawn = [HOME.day_of(bar.start) for bar in first.days]
    traded = [session.day for session in load_calendar(drawn[0], drawn[-1]).sessions()]
    assert drawn == traded[:DAYS]
    assert date(2025, 12, 25) not in drawn
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in first.days)


def a_watching_desk(watched: Sequence[Symbol], at: datetime = LATE) -> Engine:
    """It trades QQQ, and watches those."""
    engine = Engine("live", Mode.PAPER, CALENDAR, MemoryJournal())
    rebuild(engine.state, None)
    engine.apply(at, Settings.model_validate({"symbols": ["QQQ"]}), "test")
    list(engine.handle(at, Start()))
    engine.state.record(WatchlistKept("main", tuple(watched)))
    return engine


def of(symbol: Symbol, bars: Sequence[Bar]) -> list[Bar]:
    return [replace(bar, symbol=symbol) for bar in bars]


def drawn_minutes(charts: Charts, symbol: Symbol, at: datetime) -> list[datetime]:
    drawn = charts.draw(symbol, at, ())
    assert drawn is not None
    return [bar.start for bar in drawn.bars]


def test_a_watched_chart_goes_on_unrecorded() -> None:
    """MD-06: bars for symbols that nobody trades yet; no strategy and no backtest hears of them."""
    engine, watch, heard = a_watching_desk([IBM]), a_watch(Source(), Clock(LATE)), list[Bar]()
    engine.state.add_bar_listener(heard.append)
    charts = Charts(engine.state, watch.book.of)
    charts.begin(LATE)
    assert drawn_minutes(charts, IBM, LATE) == []

    hears(engine, of(IBM, todays(90, 95)))
    assert len(drawn_minutes(charts, IBM, engine.state.at)) == 5
    watch.look(IBM)
    hears(engine, of(IBM, todays(95, 100)))

    assert drawn_minutes(charts, IBM, engine.state.at) == [bar.start for bar in todays(0, 100)]
    assert heard == []
    assert not [each for each in engine.state.journal.records() if isinstance(each.fact, BarClosed)]


def test_the_latest_watched_minutes_are_kept() -> None:
    """MD-06: two hundred symbols do not fill the memory, and a chart that comes back has no hole."""
    symbols = [IBM, *(Symbol(f"A{chr(65 + number)}") for number in range(LOOKED_AT + 3))]
    engine, clock = a_watching_desk(symbols), Clock(LATE)
    watch = a_watch(Source(), clock)
    charts = Charts(engine.state, watch.book.of)
    charts.begin(LATE)
    charts.draw(IBM, LATE, ())
    watch.look(IBM)
    charts.draw(IBM, LATE, ())
    for symbol in symbols[1:]:
        charts.draw(symbol, LATE, ())

    for symbol in symbols:
        hears(engine, of(symbol, todays(90, 95)))
    assert len(charts._lines) == LOOKED_AT

    clock.at = engine.state.at
    charts.draw(IBM, clock.at, ())
    assert IBM in dict(watch.book.take_wanted())
    watch.look(IBM)
    hears(engine, of(IBM, todays(95, 98)))
    assert drawn_minutes(charts, IBM, engine.state.at) == [bar.start for bar in todays(0, 98)]


def test_missed_minutes_are_asked_again() -> None:
    """MD-06: the line of data was down, or the symbol was not followed yet."""
    engine, clock = a_watching_desk([IBM]), Clock(LATE)
    watch = a_watch(Source(), clock)
    charts = Charts(engine.state, watch.book.of)
    charts.begin(LATE)
    watch.look(IBM)
    charts.draw(IBM, LATE, ())

    hears(engine, of(IBM, todays(110, 112)))
    clock.at = engine.state.at
    charts.draw(IBM, clock.at, ())
    for symbol, _day in watch.book.take_wanted():
        watch.look(symbol)

    assert drawn_minutes(charts, IBM, engine.state.at) == [bar.start for bar in todays(0, 112)]


def test_a_minute_of_history_is_drawn_once() -> None:
    """MD-06: with the same VWAP."""
    engine, clock = a_watching_desk([IBM]), Clock(LATE + ONE_MINUTE)
    watch = a_watch(Source(), clock)
    charts = Charts(engine.state, watch.book.of)
    charts.begin(LATE)
    charts.draw(IBM, LATE, ())
    watch.look(IBM)
    before = charts.draw(IBM, LATE + ONE_MINUTE, ())

    hears(engine, of(IBM, todays(90, 91)))

    assert charts.draw(IBM, engine.state.at, ()) == before


def test_a_demo_adds_only_past_minutes() -> None:
    """MD-06, MD-05"""
    calendar = load_calendar(demo.FIRST_DAY, demo.LAST_DAY)
    sessions = demo.sessions_from(calendar, demo.FIRST_DAY)
    book, at = DemoCharts(CALM, 1, sessions, (SPY,)), sessions[0].open + 10 * ONE_MINUTE
    book.keep(book.made(SPY, sessions[0].day))
    engine = Engine("demo", Mode.PAPER, calendar, MemoryJournal())
    rebuild(engine.state, None)
    engine.apply(at, Settings(), "test")
    charts = Charts(engine.state, book.of)
    charts.begin(at)

    assert drawn_minutes(charts, SPY, at) == [sessions[0].open + number * ONE_MINUTE for number in range(10)]
    assert book.made(IBM, sessions[0].day).minutes == ()
