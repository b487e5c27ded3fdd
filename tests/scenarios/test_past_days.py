"""Measures with a long memory stand on the broker's history from the first minute, whatever strategies run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import groupby

from syrupy.assertion import SnapshotAssertion

from core.engine import Engine
from core.facts import PastDaysLoaded, ProtectionTripped
from core.market.calendar import load_calendar
from core.market.port import MarketDataError
from core.market.synthetic import synthetic_sessions
from core.messages.inputs import BarArrived, MarketDataBroken, PastArrived, Start
from core.model.account import Mode
from core.model.bar import ONE_MINUTE, Bar
from core.model.reference_data import PastDay, PastDays
from core.model.sizing import DailyBar
from core.model.values import Price, Symbol
from core.runtime.market_history import PastWatch
from core.settings.protections import VolatilityHaltSettings
from core.settings.settings import Settings
from core.trading_state.checkpoint import rebuild
from state.journal import MemoryJournal

SPY, IBM = Symbol("SPY"), Symbol("IBM")
TODAY = date(2026, 2, 10)
CALENDAR = load_calendar(date(2025, 12, 1), date(2026, 2, 13))
SESSIONS = [session for session in CALENDAR.sessions() if date(2026, 1, 5) <= session.day <= TODAY]
OPEN = SESSIONS[-1].open
SETTINGS = Settings.model_validate({"symbols": ["IBM"], "strategies": {"vwap": {"enabled": False}}})


@cache
def market() -> tuple[Bar, ...]:
    """Twenty-five sessions of two symbols and today's."""
    both = [bar for symbol in (SPY, IBM) for bar in synthetic_sessions(1, symbol, SESSIONS)]
    return tuple(sorted(both, key=lambda bar: (bar.start, bar.symbol)))


class Broker:
    """Its history, and how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_away = False

    def minutes(self, symbols: Sequence[Symbol], start: datetime, end: datetime) -> list[BarArrived | MarketDataBroken]:
        self.asked.append("minutes")
        if self.is_away:
            raise MarketDataError("nobody answered")
        return [BarArrived(bar, "test") for bar in market() if bar.symbol in symbols and start <= bar.start < end]

    def days(self, symbol: Symbol) -> list[DailyBar]:
        self.asked.append(f"days of {symbol}")
        ours = [bar for bar in market() if bar.symbol == symbol and bar.start < OPEN]
        days = {day: list(bars) for day, bars in groupby(ours, key=lambda bar: bar.start.date())}
        return [
            DailyBar(day, Price(max(b.high for b in bars)), Price(min(b.low for b in bars)), bars[-1].close)
            for day, bars in days.items()
        ]


def a_watch(broker: Broker, now: datetime = OPEN) -> PastWatch:
    return PastWatch(broker.minutes, broker.days, CALENDAR, lambda: now, VolatilityHaltSettings)


def a_desk(journal: MemoryJournal | None = None) -> Engine:
    engine = Engine("live", Mode.PAPER, CALENDAR, journal or MemoryJournal())
    rebuild(engine.state, None)
    return engine


def started(at: datetime) -> Engine:
    engine = a_desk()
    engine.apply(at, SETTINGS, "test")
    list(engine.handle(at, Start()))
    return engine


def hears(engine: Engine, bars: Sequence[Bar]) -> None:
    for bar in bars:
        list(engine.handle(max(bar.end, engine.state.at), BarArrived(bar, "test")))


def is_told(engine: Engine, *symbols: Symbol) -> None:
    for told in a_watch(Broker()).look(symbols, VolatilityHaltSettings()):
        assert isinstance(told, PastArrived)
        list(engine.handle(engine.state.at, told))


@cache
def that_ran_on() -> Engine:
    """A desk that heard every bar of all the sessions before today's."""
    engine = started(SESSIONS[0].open)
    hears(engine, [bar for bar in market() if bar.start < OPEN])
    return engine


def todays(minutes: int) -> list[Bar]:
    return [bar for bar in market() if OPEN <= bar.start < OPEN + minutes * ONE_MINUTE]


def test_a_new_desk_knows_the_same_median(snapshot: SnapshotAssertion) -> None:
    """RK-08: at its first minute, for the market too, which nobody trades here."""
    engine = started(OPEN)
    is_told(engine, SPY, IBM)
    hears(engine, todays(1))
    ran = that_ran_on()

    for symbol in (SPY, IBM):
        known = engine.state.protections.volatility_halt.state.symbols[symbol]
        running = ran.state.protections.volatility_halt.state.symbols[symbol]
        assert known.days == [*running.days, running.of_day.deviation][-20:]
        assert known.returns == running.returns
    words = [m.words for m in engine.state.protections.volatility_halt.measures(engine.state.at)]
    assert [text for text in words if "median" in text] == snapshot


def test_correlation_is_known_before_the_first_bar() -> None:
    """RK-16"""
    engine = started(OPEN)
    before = engine.state.sizing.ranges.likeness(SPY, IBM, 60)
    is_told(engine, SPY, IBM)

    assert before == (None, 0)
    found, days = engine.state.sizing.ranges.likeness(SPY, IBM, 60)
    assert days >= 20
    assert (found, days) == that_ran_on().state.sizing.ranges.likeness(SPY, IBM, 60)


def test_the_average_range_is_known_at_the_open() -> None:
    """RK-10: Wilder's average of the last two hours is that of all the weeks, to a ten-thousandth of a cent or so."""
    engine = started(OPEN)
    is_told(engine, SPY)

    found, running = (desk.state.sizing.ranges.atr(SPY, 14) for desk in (engine, that_ran_on()))
    assert found is not None
    assert running is not None
    assert abs(found - running) < running / 1000


def test_todays_figures_survive_past_days() -> None:
    """RK-08, RK-10"""
    first, then = started(OPEN), started(OPEN)
    is_told(first, SPY)
    hears(first, todays(10))
    hears(then, todays(10))
    is_told(then, SPY)

    one, other = (desk.state.protections.volatility_halt.state.symbols[SPY] for desk in (first, then))
    assert (one.returns, one.recent, one.days, one.of_day) == (other.returns, other.recent, other.days, other.of_day)
    assert then.state.sizing.ranges.atr(SPY, 14) is not None


def test_no_session_counts_twice() -> None:
    """RK-08: neither yesterday's, of which the ring is, nor one of which this desk heard a part."""
    yesterday = SESSIONS[-2]
    engine = started(yesterday.open)
    hears(engine, [b for b in market() if yesterday.open <= b.start < yesterday.open + 60 * ONE_MINUTE])
    list(engine.handle(OPEN, BarArrived(todays(1)[0], "test")))
    fresh = started(OPEN)
    for desk in (engine, fresh):
        is_told(desk, SPY)
        hears(desk, todays(5))

    watched = [desk.state.protections.volatility_halt.state.symbols[SPY].days for desk in (engine, fresh)]
    assert watched[0] == watched[1]
    assert len(watched[0]) == 20


def test_past_days_survive_a_restart() -> None:
    """RK-08, SP-05"""
    journal = MemoryJournal()
    engine = a_desk(journal)
    engine.apply(OPEN, SETTINGS, "test")
    facts: list[object] = []
    engine.state.add_listener(lambda _number, _at, fact: facts.append(fact))
    is_told(engine, SPY, IBM)

    again = a_desk(journal)

    assert [type(fact) for fact in facts if isinstance(fact, PastDaysLoaded | ProtectionTripped)] == [
        PastDaysLoaded,
        PastDaysLoaded,
    ]
    assert again.state.protections.volatility_halt.state == engine.state.protections.volatility_halt.state
    assert again.state.sizing.ranges.state == engine.state.sizing.ranges.state


def test_without_minutes_only_closes_are_known() -> None:
    """RK-16: the daily bars came, the minutes held nothing of that symbol."""
    engine = started(OPEN)
    days = tuple(PastDay(OPEN.date() - timedelta(days=n), Price(Decimal(100 + n)), None) for n in range(30, 0, -1))
    for symbol in (SPY, IBM):
        list(engine.handle(OPEN, PastArrived(PastDays(symbol, days))))
    hears(engine, todays(1))

    assert engine.state.sizing.ranges.likeness(SPY, IBM, 60)[1] == 29


async def listened(watch: PastWatch, until: int) -> list[object]:
    """What it told, up to so many."""
    heard: list[object] = []
    is_enough = asyncio.Event()

    def hear(told: object) -> None:
        heard.append(told)
        if len(heard) >= until:
            is_enough.set()

    task = asyncio.create_task(watch.run(hear, lambda _connection: None))
    await is_enough.wait()
    task.cancel()
    return heard


async def test_each_symbol_is_asked_for_once_a_day() -> None:
    """EX-17: a new one alone."""
    broker = Broker()
    watch = a_watch(broker)
    watch.follow((SPY,))
    await listened(watch, 1)
    watch.follow((SPY, IBM))
    await listened(watch, 1)

    assert broker.asked == ["minutes", "days of SPY", "minutes", "days of IBM"]


async def test_a_new_symbol_is_asked_for_at_once() -> None:
    """RK-08: only a failure waits for a minute."""
    broker = Broker()
    watch = a_watch(broker)
    watch.follow((SPY,))
    days = broker.days

    def and_then_one_more(symbol: Symbol) -> list[DailyBar]:
        watch.follow((SPY, IBM))
        return days(symbol)

    watch._daily_bars = and_then_one_more

    assert len(await listened(watch, 2)) == 2


def test_a_failure_is_said_once_and_asked_again(snapshot: SnapshotAssertion) -> None:
    """RK-08: with what goes on without it."""
    broker = Broker()
    broker.is_away = True
    watch = a_watch(broker)
    watch.follow((SPY,))

    (said,) = watch.look((SPY,), VolatilityHaltSettings())
    again = watch.look((SPY,), VolatilityHaltSettings())
    broker.is_away = False
    (told,) = watch.look((SPY,), VolatilityHaltSettings())

    assert isinstance(said, MarketDataBroken)
    assert said.reason == snapshot
    assert again == []
    assert isinstance(told, PastArrived)
