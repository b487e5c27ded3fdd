"""What a chart has of the time before the engine heard anything: asked for when it is looked at, and only drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby

from core.engine import Engine
from core.market.calendar import load_calendar
from core.market.port import MarketDataError
from core.market.synthetic import synthetic_sessions
from core.messages.inputs import BarArrived, MarketDataBroken, Start
from core.model.account import Mode
from core.model.bar import ONE_MINUTE, Bar
from core.model.values import SUB_PENNY, Symbol
from core.model.venues import HOME
from core.runtime import demo
from core.runtime.chart_history import AGAIN, KEPT, ChartBook, ChartWatch
from core.runtime.demo_charts import DAYS, DemoCharts
from core.runtime.demo_market import CALM
from core.settings.settings import Settings
from core.strategies.vwap import VwapState
from core.trading_state.checkpoint import rebuild
from core.views.builders.charts import Charts
from core.views.chart_past import ChartPast
from state.journal import MemoryJournal

SPY, TODAY = Symbol("SPY"), date(2026, 2, 10)
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
        return [BarArrived(bar, "test") for bar in MARKET if bar.symbol in symbols and start <= bar.start < end]

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


def test_a_desk_that_started_late_draws_the_session_from_its_open_with_its_vwap() -> None:
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


def test_the_sessions_before_todays_come_as_days_and_as_hours_of_the_markets_clock() -> None:
    """MD-06"""
    watch = a_watch(Source(), Clock(LATE))
    watch.look(SPY)

    past = watch.book.of(SPY, TODAY)

    assert past is not None
    assert len(past.days) == len(SESSIONS) - 1
    assert HOME.day_of(past.days[-1].start) == date(2026, 2, 9)
    assert len(past.hours) == 70
    assert [HOME.local(bar.start).hour for bar in past.hours[:7]] == [9, 10, 11, 12, 13, 14, 15]
    monday = [bar for bar in MARKET if HOME.day_of(bar.start) == date(2026, 2, 9)]
    assert past.hours[-1].close == monday[-1].close
    assert sum(bar.volume for bar in past.hours[-7:]) == sum(bar.volume for bar in monday)


def test_nothing_is_asked_before_somebody_looks_and_once_a_day_from_then_on() -> None:
    source, clock = Source(), Clock(LATE)
    watch = a_watch(source, clock)

    assert watch.book.take_wanted() == ()
    assert watch.book.of(SPY, TODAY) is None
    assert watch.book.take_wanted() == ((SPY, TODAY),)
    watch.look(SPY)
    assert watch.book.of(SPY, TODAY) is not None
    assert watch.book.take_wanted() == ()
    assert watch.book.of(SPY, TODAY + timedelta(days=1)) is None
    assert watch.book.take_wanted() == ((SPY, TODAY + timedelta(days=1)),)


def test_a_history_that_cannot_be_had_is_said_once_and_asked_again_after_a_while() -> None:
    source, clock = Source(), Clock(LATE)
    source.is_away, watch = True, a_watch(source, clock)

    said = watch.look(SPY)
    assert said is not None
    assert said.reason == "the chart of SPY begins with what is heard until its history comes: nobody answered"
    assert watch.look(SPY) is None
    assert source.asked == 1
    clock.at += AGAIN
    assert watch.look(SPY) is None
    source.is_away = False
    clock.at += AGAIN
    assert watch.look(SPY) is None
    assert source.asked == 3
    assert watch.book.of(SPY, TODAY) is not None


def test_a_book_keeps_the_symbols_that_were_asked_for_last() -> None:
    book = ChartBook()
    symbols = [Symbol(f"S{number}") for number in range(KEPT + 3)]
    for symbol in symbols:
        book.keep(ChartPast(symbol, TODAY, (), (), ()))

    assert [symbol for symbol in symbols if book.of(symbol, TODAY) is not None] == symbols[3:]


def test_a_demo_has_days_before_its_first_that_end_where_its_market_began() -> None:
    """MD-06: what is drawn of the day before is what the change since it is measured by."""
    calendar = load_calendar(demo.FIRST_DAY, demo.LAST_DAY)
    sessions = demo.sessions_from(calendar, demo.FIRST_DAY)
    charts = DemoCharts(CALM, 1, sessions)

    first, later = charts.made(SPY, sessions[0].day), charts.made(SPY, sessions[5].day)

    assert len(first.days) == len(later.days) == DAYS
    assert first.days[-1].start == HOME.start_of(date(2026, 1, 2))
    assert later.days[:-5] == first.days[5:]
    assert later.days[-1].close == CALM.day(1, SPY, sessions[4])[-1].close
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in first.days)


def test_the_measure_of_a_chart_is_the_strategys() -> None:
    """The line of a joined session at its last bar is what the strategy works out of the same bars."""
    watch, engine = a_watch(Source(), Clock(LATE)), a_desk(LATE)
    charts = Charts(engine.state, watch.book.of)
    charts.begin(LATE)
    watch.look(SPY)
    measured = VwapState()
    for bar in todays(0, 90):
        measured.volume += bar.volume
        measured.weighted += (bar.high + bar.low + bar.close) * bar.volume

    drawn = charts.draw(SPY, LATE, ())

    assert drawn is not None
    assert measured.vwap is not None
    assert drawn.bars[-1].reference is not None
    assert drawn.bars[-1].reference == measured.vwap.quantize(SUB_PENNY)
