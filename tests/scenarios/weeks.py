"""Trading weeks of 2013 in New York: both changes of the clocks, and Thanksgiving with its early close the day after.

The exchange's own calendar, the real engine, the movable clock. On the day that matters the operator holds two
positions and has two entries that wait, so that whatever shuts entries can be seen to leave alone what closes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from core.execution.order import Order
from core.facts import Fact, Killed, ProposalSkipped, ProtectionExpired, ProtectionTripped, Rearmed
from core.market.calendar import ExchangeCalendar, load_calendar
from core.messages.commands import Decline, Kill, MoveStop, ProposeClose, Rearm, RequestCancel
from core.model.bar import Bar
from core.model.order import OrderStatus
from core.model.staging import MANUAL
from core.model.values import Price, Symbol
from core.settings.settings import Settings
from core.views import ProtectionRow
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_typed_buy
from tests.unit.core.brokers.trading_floor import IBM, NEW_YORK, SPY, a_bar, at

BAC, AIG, XOM = Symbol("BAC"), Symbol("AIG"), Symbol("XOM")
"""BAC is held until its stop sells it, IBM until a key does; in AIG and XOM entries wait far below the market."""
LOSES = "100 100 99.30 100"
"""A minute that reaches a stop at 99.40, a loss of 0.6 %."""
GAINS = "101"
OTHERS = ("stop_loss_guard", "cooldown", "low_profit", "loss_streak", "max_drawdown", "volatility_halt", "equity_curve")
ROOM: dict[str, Any] = {
    "per_trade": {"usd": "40"},
    "max_notional": {"usd": "1100"},
    "daily_loss": {"usd": "500"},
    "weekly_loss": {"usd": "500"},
    "max_open_positions": 10,
    "entries_a_day": 10,
    "window_start": "09:30",
    "window_end": "15:59",
}


@dataclass(frozen=True)
class Week:
    """A day on which something trips, the trading days before it, and those that follow, New York."""

    name: str
    before: tuple[date, ...]
    day: date
    after: tuple[date, ...]

    def __str__(self) -> str:
        return self.name


def id_of(value: object) -> str | None:
    """Of a parameter: the week's name; a protection's terms in words."""
    if isinstance(value, Mapping):
        return "three-days" if value else "usual"
    return str(value) if isinstance(value, Week) else None


def november(*days: int) -> tuple[date, ...]:
    return tuple(date(2013, 11, day) for day in days)


def march(*days: int) -> tuple[date, ...]:
    return tuple(date(2013, 3, day) for day in days)


SPRING = Week("clocks-go-forward", march(4, 5, 6, 7), *march(8), march(11, 12))
"""Friday in New York's winter time, Monday in its summer time: Sunday has 23 hours."""
AUTUMN = Week("clocks-go-back", (date(2013, 10, 28), date(2013, 10, 29)), *november(1), november(4, 5))
"""Friday in summer time, Monday in winter time: Sunday has 25 hours."""
HOLIDAY = Week("thanksgiving", november(25, 26), *november(27), (*november(29), date(2013, 12, 2)))
"""Thursday is closed, Friday closes at 13:00."""
SUMMER_MONDAY = Week("first-monday-of-summer-time", march(7, 8), *march(11), march(12, 13))
WINTER_MONDAY = Week("first-monday-of-winter-time", (date(2013, 10, 31), *november(1)), *november(4), november(5, 6))


@cache
def the_calendar() -> ExchangeCalendar:
    return load_calendar(date(2013, 2, 1), date(2013, 12, 31))


def settings_with(protections: Mapping[str, object] | None = None, **risk: object) -> Settings:
    """Room for everything but what the story is about; the protections that it does not name are off."""
    named = protections or {}
    off = {name: {"enabled": False} for name in OTHERS if name not in named}
    return Settings.model_validate(
        {
            "symbols": [SPY, IBM, BAC, AIG, XOM],
            "risk": {**ROOM, **risk, "protections": {**off, **named}},
            "strategies": {"vwap": {"enabled": False}},
            "reconciliation": {"every_seconds": 3600},
        }
    )


@dataclass(frozen=True)
class Minute:
    """What SPY does in a minute that is not as the others are; in all of them up to `last` where that is told."""

    day: date
    clock: str
    prices: str = LOSES
    last: str = ""

    @property
    def clocks(self) -> list[str]:
        return _clocks(self.clock, self.last or self.clock)


class Weeks(House):
    """SPY stands at 100 from 09:30 to 10:45, but for the minutes that are told; to 09:47 on days without any.

    On the day that matters IBM and BAC rise to 101 at 10:10, and BAC falls back at 10:14.
    """

    def __init__(self, week: Week, told: Iterable[Minute], settings: Settings, **rules: object) -> None:
        self.week = week
        rules = {"cash": Decimal(5000), "multiplier": Decimal(2), **rules}
        super().__init__(_bars(week, list(told)), settings, the_calendar(), **rules)

    # ── what the operator does ───────────────────────────────────────────────────────────────────────────────────

    def buys(self, symbol: Symbol = SPY, quantity: str = "10", limit: str = "100.10", stop: str = "99.40") -> None:
        """Typed, read and confirmed."""
        self.presses(replace(a_typed_buy(quantity, limit=limit, stop=stop), symbol=symbol))
        assert len(self.desk.stage.proposals()) == 1, self.facts(ProposalSkipped)[-1:]
        confirms_now(self)
        passes(self, 20)

    def trades_at(self, clock: str, day: date | None = None) -> None:
        """Buys ten SPY half a minute before a told minute, whose stop sells them."""
        moment = at(clock, day or self.week.day)
        self.until_moment(moment - timedelta(seconds=50))
        self.buys()
        assert self.held() == "10"
        self.until_moment(moment + timedelta(seconds=65))
        assert self.held() == "0"

    def wins_at(self, clock: str, day: date | None = None) -> None:
        """Buys ten SPY half a minute before a told minute, and closes them while it is up."""
        moment = at(clock, day or self.week.day)
        self.until_moment(moment - timedelta(seconds=50))
        self.buys()
        self.until_moment(moment + timedelta(seconds=70))
        self.presses(ProposeClose(SPY))
        confirms_now(self)
        passes(self, 20)
        assert self.held() == "0"

    def has_other_things_at_stake(self) -> None:
        """It is 09:50 of the day: IBM and BAC are held, AIG and XOM wait."""
        self.until("09:48", self.week.day)
        for symbol in (IBM, BAC):
            self.buys(symbol, "1", stop="99")
        for symbol in (AIG, XOM):
            self.buys(symbol, "1", limit="96", stop="95")
        assert (self.held(IBM), self.held(BAC)) == ("1", "1")
        assert [self.entry_in(s).status for s in (AIG, XOM)] == [OrderStatus.SUBMITTED] * 2

    # ── what is asked ────────────────────────────────────────────────────────────────────────────────────────────

    def entry_in(self, symbol: Symbol) -> Order:
        orders = [o for o in self.desk.ledger.state.orders.values() if o.request.symbol == symbol]
        return next(order for order in orders if not order.only_reduces)

    def refusals(self, symbol: Symbol = SPY) -> tuple[str, ...]:
        """Every reason why a typed entry is not staged now; where it is, it is declined again."""
        before = len(self.facts(ProposalSkipped))
        self.presses(replace(a_typed_buy("1", limit="100.10", stop="99.40"), symbol=symbol))
        for proposal in self.desk.stage.proposals():
            self.presses(Decline(proposal.id, "only asked"))
        return tuple(reason for fact in self.facts(ProposalSkipped)[before:] for reason in fact.reasons)

    def is_refused(self, words: str, symbol: Symbol = SPY) -> bool:
        return any(words in reason for reason in self.refusals(symbol))

    def row(self, key: str) -> ProtectionRow:
        return next(row for row in ViewBuilder(self.engine).draw(self.line.at).protections if row.key == key)

    def at_of(self, kind: type[Fact], name: str) -> list[str]:
        """When a trip or an end of a protection was recorded: `Fri 10:06:00`, New York."""
        return [
            told(record.at)
            for record in self.journal.records()
            if isinstance(record.fact, kind) and getattr(record.fact, "name", "") == name
        ]


def told(moment: datetime | None) -> str:
    """`Fri 8 10:06:00`, New York."""
    return "never" if moment is None else f"{moment.astimezone(NEW_YORK):%a %-d %H:%M:%S}"


def moment_of(words: str, week: Week) -> datetime:
    """`Mon 11 11:16:00` of the week's days, or of one between them."""
    _, number, clock = words.split()
    first = week.before[0]
    days = [first + timedelta(days=n) for n in range(16)]
    return at(clock, next(day for day in days if day.day == int(number)))


# ── the story that every protection has ──────────────────────────────────────────────────────────────────────────────


def what_closes_still_goes(house: Weeks) -> None:
    """An entry is cancelled, a position closed, a stop moved and filled, and everything killed and armed again."""
    an_entry_is_cancelled(house, AIG)
    house.until("10:11:30", house.week.day)
    house.presses(ProposeClose(IBM))
    confirms_now(house)
    passes(house, 20)
    assert house.held(IBM) == house.held_by_the_broker(IBM) == "0"

    a_stop_is_moved_and_fills(house)
    all_is_killed_and_armed_again(house)
    assert house.entry_in(XOM).status is OrderStatus.CANCELLED


def an_entry_is_cancelled(house: Weeks, symbol: Symbol) -> None:
    house.presses(RequestCancel(house.entry_in(symbol).id))
    passes(house, 2)
    assert house.entry_in(symbol).status is OrderStatus.CANCELLED


def a_stop_is_moved_and_fills(house: Weeks) -> None:
    house.presses(MoveStop(BAC, MANUAL, Price(Decimal("100.50"))))
    confirms_now(house)
    house.until("10:15:30", house.week.day)
    assert house.held(BAC) == house.held_by_the_broker(BAC) == "0"


def all_is_killed_and_armed_again(house: Weeks) -> None:
    house.presses(Kill("key"))
    passes(house, 2)
    assert house.last(Killed).by == "key"
    house.presses(Rearm("REARM"))
    assert house.facts(Rearmed)


def it_shuts_until(house: Weeks, words: str, name: str, scope: str, end: str) -> None:
    """From a trip to its end, New York: what closes goes, a restart changes nothing, the end is on the second.

    `words` are those of the refusal, `name` and `scope` those of the trip.
    """
    trip = house.last(ProtectionTripped)
    assert (trip.name, trip.scope) == (name, scope)
    assert house.is_refused(words)
    what_closes_still_goes(house)

    it_ends_on_the_second(house, words, name, scope, end)


def it_ends_on_the_second(house: Weeks, words: str, name: str, scope: str, end: str) -> None:
    """Half-way the program is gone and started again; nothing differs, and the end comes at its time, New York."""
    trip = house.desk.protections.latches.told(name, scope)
    assert trip is not None
    assert trip.until is not None
    assert told(trip.until) == end
    ends = moment_of(end, house.week)
    assert_the_day_is_told(house, trip.until, words)
    middle = house.line.at + (ends - house.line.at) / 2
    house.until_moment(middle)
    before = rows_of(house, name)
    house.restarted()
    passes(house, 2)
    assert rows_of(house, name) == before
    assert house.is_refused(words)

    house.until_moment(ends - timedelta(seconds=1))
    assert house.is_refused(words)
    assert house.at_of(ProtectionExpired, name) == []
    house.until_moment(ends)
    assert house.at_of(ProtectionExpired, name) == [end]
    assert not house.is_refused(words)


def assert_the_day_is_told(house: Weeks, until: datetime, words: str) -> None:
    """Where a refusal tells its end, it is New York's, and names its day where that is not the trip's."""
    (reason,) = [reason for reason in house.refusals() if words in reason]
    if "until" in reason and "New York" in reason:
        end = until.astimezone(NEW_YORK)
        day = "" if end.date() == house.week.day else f"{end:%a %d %b} "
        assert reason.endswith(f"until {day}{end:%H:%M} New York")


def entries_pass_again(house: Weeks, day: date, clock: str = "09:45") -> None:
    """In the next session an entry is typed, confirmed and filled."""
    house.until(clock, day)
    house.buys()
    assert house.held() == "10"


def rows_of(house: Weeks, name: str) -> list[tuple[object, ...]]:
    """What the pane says of a protection, but for the time that passes."""
    rows = ViewBuilder(house.engine).draw(house.line.at).protections
    return [(r.key, r.measure, r.is_tripped, r.reason, r.since, r.until) for r in rows if r.key.split("/")[0] == name]


# ── the market ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _bars(week: Week, told_minutes: list[Minute]) -> list[Bar]:
    prices = {(minute.day, clock): minute.prices for minute in told_minutes for clock in minute.clocks}
    whole = {week.day, *(minute.day for minute in told_minutes)}
    bars = [
        a_bar(clock, prices.get((day, clock), "100"), day=day)
        for day in (*week.before, week.day, *week.after)
        for clock in _clocks("09:30", "10:45" if day in whole else "09:47")
    ]
    for symbol in (IBM, BAC, AIG, XOM):
        bars += [
            a_bar(clock, _of_others(symbol, clock), symbol=symbol, day=week.day) for clock in _clocks("09:45", "10:17")
        ]
    return bars


def _of_others(symbol: Symbol, clock: str) -> str:
    if clock < "10:10" or symbol in (AIG, XOM):
        return "100"
    return "100.40" if symbol == BAC and clock >= "10:14" else GAINS


def _clocks(first: str, last: str) -> list[str]:
    minutes = range(9 * 60, 16 * 60)
    clocks = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in minutes]
    return [clock for clock in clocks if first <= clock <= last]
