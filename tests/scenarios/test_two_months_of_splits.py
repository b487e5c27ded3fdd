"""Two months with a 10:1, a 1:10 and a 3:2: every figure is that of a market that was never split (MD-09)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from itertools import accumulate
from random import Random

import pytest

from core.facts import AlertRang, CorporateActionApplied, SignalRaised
from core.messages.desk_commands import KeepAlert
from core.messages.inputs import CorporateActionsArrived, PastArrived
from core.model.alert import AlertKind, AlertTerms
from core.model.bar import Bar
from core.model.reference_data import ActionKind, CorporateAction, PastDay, PastDays
from core.model.values import Price, Quantity, Symbol
from core.settings.settings import Settings
from core.strategies.builtin import HOUSE
from core.trading_state.watched_symbols import change_of
from tests.scenarios.house import House
from tests.scenarios.test_splits import terms
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY, a_bar, at
from tests.unit.core.strategies.test_warming import SHORT

CLOSED = {date(2026, 11, 26), date(2026, 12, 25), date(2027, 1, 1)}
DAYS = [day for n in range(62) if (day := THURSDAY + timedelta(days=n)).weekday() < 5 and day not in CLOSED]
MINUTES = [f"10:{minute:02d}" for minute in range(2, 30)]
SPLITS = {DAYS[8]: (Decimal(10), Decimal(1)), DAYS[18]: (Decimal(1), Decimal(10)), DAYS[28]: (Decimal(3), Decimal(2))}
VOLUME = 30_000
CENTS = Decimal("0.30")
"""Every price is a multiple of it, so that each is exact after each split."""
NEAR = Decimal("1e-9")
TICK = Decimal("0.1")
"""A cent, of ten shares for one."""


Rows = list[dict[str, Decimal | None]]
Courses = tuple[tuple["Course", Rows], tuple["Course", Rows]]


def shares_for_one(day: date) -> Decimal:
    """Shares on a day for one of before."""
    whole = Decimal(1)
    for on, (new, old) in SPLITS.items():
        whole *= new / old if on <= day else 1
    return whole


@cache
def prices(symbol: Symbol) -> tuple[tuple[Decimal, ...], ...]:
    """The closes of each day's minutes, of a market that was never split."""
    chance = Random(symbol)
    steps = [CENTS * chance.randint(-12, 12) for _ in DAYS for _ in MINUTES]
    walk = list(accumulate(steps, initial=Decimal(1200)))[1:]
    return tuple(tuple(walk[n * len(MINUTES) : (n + 1) * len(MINUTES)]) for n in range(len(DAYS)))


def a_market(*, is_split: bool) -> Iterator[Bar]:
    before = {SPY: Decimal(1200), IBM: Decimal(1200)}
    for number, day in enumerate(DAYS):
        many = {SPY: shares_for_one(day) if is_split else Decimal(1), IBM: Decimal(1)}
        for minute, clock in enumerate(MINUTES):
            for symbol, ratio in many.items():
                opened, closed = before[symbol], prices(symbol)[number][minute]
                before[symbol] = closed
                four = (opened, max(opened, closed) + CENTS, min(opened, closed) - CENTS, closed)
                bar = a_bar(clock, " ".join(str(price / ratio) for price in four), symbol=symbol, day=day)
                yield replace(bar, volume=Quantity(VOLUME * ratio))


@dataclass
class Course:
    """A desk without a position, with every strategy, over these days; SPY is split in it, or never."""

    house: House
    is_split: bool

    def day_begins(self, day: date) -> None:
        """The announcement of the day comes, and the days before it as they were traded, not adjusted."""
        line = self.house.line
        past = DAYS[max(0, DAYS.index(day) - 20) : DAYS.index(day)]
        told = [(each, shares_for_one(each) if self.is_split else Decimal(1)) for each in past]
        closes = tuple(
            PastDay(each, Price(prices(SPY)[DAYS.index(each)][-1] / many), Quantity(VOLUME * len(MINUTES) * many))
            for each, many in told
        )
        if self.is_split and day in SPLITS:
            new, old = SPLITS[day]
            kind = ActionKind.SPLIT if new > old else ActionKind.REVERSE_SPLIT
            action = CorporateAction(SPY, kind, day, None, old, new)
            line.take(line.at, CorporateActionsArrived((SPY,), (action,)))
        if closes:
            line.take(line.at, PastArrived(PastDays(SPY, closes)))

    def figures(self, day: date) -> dict[str, Decimal | None]:
        """Each as of a share that was never split."""
        desk, many = self.house.desk, shares_for_one(day) if self.is_split else Decimal(1)
        volume, atr = desk.volumes.average(SPY), desk.sizing.average_range(SPY)
        before, end = desk.price_history.price_before(SPY, at("10:30", day), 5), at("10:30", day)
        closes = [close for _, close in desk.sizing.ranges.state.by_symbol[SPY].closes]
        return {
            "ATR": None if atr is None else atr * many,
            "price before": None if before is None else before * many,
            "volume": None if volume is None else volume.shares / many,
            "change": change_of(desk, SPY, end),
            "correlation": desk.sizing.ranges.likeness(SPY, IBM, 60)[0],
            "alert": (desk.alerts.of(SPY)[0].terms.level or Decimal(0)) * many,
            **{f"close {number}": close * many for number, close in enumerate(closes)},
        }


def a_course(*, is_split: bool) -> tuple[Course, Rows]:
    every = {name: {"symbols": ["SPY"], "enabled": True, **SHORT.get(name, {})} for name in HOUSE}
    every["momentum"] |= {"requires_recommendation": False, "volume_factor": 0, "strength_limit": 99}
    table = terms(**every).model_dump(mode="json", exclude_unset=True)
    rare = {"every_seconds": 3600}  # nothing is held, and nights are long
    settings = Settings.model_validate({**table, "symbols": ["SPY", "IBM"], "reconciliation": rare})
    house = House(list(a_market(is_split=is_split)), settings).opens()
    course, rows = Course(house, is_split), []
    for day in DAYS:
        house.until("09:45", day)
        course.day_begins(day)
        if day == DAYS[0]:
            house.presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, Decimal(600), is_above=False)))
        house.until("10:31", day)
        rows.append(course.figures(day))
    return course, rows


@pytest.fixture(scope="module")
def courses() -> Courses:
    return a_course(is_split=True), a_course(is_split=False)


def test_every_figure_is_that_of_a_market_that_was_never_split(courses: Courses) -> None:
    """MD-09: of each day, and no alert rings"""
    (split, rows), (_, others) = courses
    assert (len(DAYS), len(rows)) == (41, 41)
    assert len(split.house.facts(CorporateActionApplied)) == len(SPLITS)
    for day, ours, theirs in zip(DAYS, rows, others, strict=True):
        assert ours.keys() == theirs.keys()
        for name, figure in ours.items():
            other = theirs[name]
            assert (figure is None) is (other is None), (day, name)
            assert figure is None or other is None or abs(figure - other) <= NEAR * max(1, abs(other)), (day, name)
    assert not split.house.facts(AlertRang)


@pytest.mark.parametrize("name", HOUSE)
def test_no_signal_comes_from_a_jump(courses: Courses, name: str) -> None:
    """MD-09: of each strategy, each signal is one of the market that was never split, at the same price"""
    (split, _), (never, _) = courses

    def raised(course: Course) -> dict[object, Decimal]:
        """The price of each signal, of a share that was never split."""
        signals = [fact.signal for fact in course.house.facts(SignalRaised) if fact.signal.strategy == name]
        many = {each.bar_start: shares_for_one(each.bar_start.date()) if course.is_split else 1 for each in signals}
        return {(type(each), each.bar_start): each.reference * many[each.bar_start] for each in signals}

    ours, theirs = raised(split), raised(never)
    assert len(ours) > 9 * len(theirs) / 10 > 9
    assert max(abs(price - theirs[when]) for when, price in ours.items()) <= TICK
