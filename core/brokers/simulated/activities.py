"""Account activities of the simulated exchange beside orders: scripted events, and fees on sales.

Each has its moment: the beginning of its day, or the end of the day's trading for the fees of that day. Every query and
trade settles first, so the result does not depend on how often it is called. Without the rules for them there are none.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from functools import partial

from core.brokers.simulated.config import ExchangeConfig
from core.model.account_event import AccountEvent, read_events
from core.model.activity import Activity, ActivityId, ActivityKind
from core.model.calendar import Calendar
from core.model.session import Session
from core.model.values import CENT, ZERO, Money, Price, Quantity, Symbol

UNNAMED = ActivityId("")
MOST_TAF = Decimal("9.79")
"""USD for one execution, by FINRA's schedule of 2026."""


@dataclass(slots=True)
class Sales:
    """The sales of one day, USD, and their trading activity fee before rounding."""

    proceeds: Decimal = ZERO
    activity_fee: Decimal = ZERO


@dataclass(order=True, slots=True)
class Due:
    """A scheduled event; at equal times in order of creation."""

    at: datetime
    number: int
    happens: Callable[[], None] = field(compare=False)


class AccountActivities:
    """Past and scheduled activities.

    Parameters
    ----------
    pay
        Moves cash, USD, in above zero.
    split
        Multiplies the shares of a symbol.
    receive
        Adds shares at a price.
    """

    def __init__(
        self,
        config: ExchangeConfig,
        calendar: Calendar,
        quantity: Callable[[Symbol], Decimal],
        pay: Callable[[datetime, Decimal], None],
        split: Callable[[datetime, Symbol, Decimal], None],
        receive: Callable[[datetime, Symbol, Decimal, Decimal], None],
    ) -> None:
        self.told: list[Activity] = []
        self._config, self._calendar = config, calendar
        self._quantity, self._pay, self._split, self._receive = quantity, pay, split, receive
        self._due: list[Due] = []
        self._written = 0
        self._sales: dict[date, Sales] = {}
        for event in read_events(config.events):
            self._add(calendar.venue.start_of(event.day), partial(self._happens, event))

    def settle(self, at: datetime) -> None:
        """Apply everything up to and including `at`, in order."""
        while self._due and self._due[0].at <= at:
            self._due.pop(0).happens()

    def sold(self, quantity: Decimal, proceeds: Decimal, at: datetime) -> None:
        """Add a sale to the day's fees."""
        if not (self._config.sec_fee or self._config.taf_fee):
            return
        day = self._calendar.trading_day(at)
        if day not in self._sales:
            self._sales[day] = Sales()
            session = self._calendar.session_on(day)
            venue = self._calendar.venue
            ends = venue.extended_span(session)[1] if isinstance(session, Session) else venue.end_of(day)
            self._add(ends, partial(self._charge, day, ends))
        sales = self._sales[day]
        sales.proceeds += proceeds
        sales.activity_fee += min(quantity * self._config.taf_fee, MOST_TAF)

    def paid(self, kind: ActivityKind, day: date, amount: Decimal) -> None:
        """Record cash that has moved already."""
        self._tell(Activity(UNNAMED, day, kind, Money(amount), words=kind.value))

    def _add(self, at: datetime, happens: Callable[[], None]) -> None:
        insort(self._due, Due(at, self._written, happens))
        self._written += 1

    def _tell(self, activity: Activity) -> None:
        """Record an activity; its id is its place in the list."""
        self.told.append(replace(activity, id=ActivityId(f"sim-activity-{len(self.told) + 1:06d}")))

    def _charge(self, day: date, at: datetime) -> None:
        """Charge each fee of the day, rounded up to the next cent."""
        sales = self._sales.pop(day)
        fees = ("SEC fee", sales.proceeds * self._config.sec_fee), ("trading activity fee", sales.activity_fee)
        for words, amount in fees:
            due = amount.quantize(CENT, ROUND_CEILING)
            if due:
                self._pay(at, -due)
                self._tell(Activity(UNNAMED, day, ActivityKind.FEE, Money(-due), words=words))

    def _happens(self, event: AccountEvent) -> None:
        at, symbol = self._calendar.venue.start_of(event.day), event.symbol
        told = Activity(UNNAMED, event.day, event.kind, symbol=symbol, words=event.kind.value)
        if symbol is None:
            self._pay(at, event.number)
            self._tell(replace(told, amount=Money(event.number)))
            return
        held = self._quantity(symbol)
        if event.kind is ActivityKind.SHARES:
            self._receive(at, symbol, event.number, event.other)
            self._tell(replace(told, quantity=Quantity(event.number), price=Price(event.other)))
        elif not held:
            return
        elif event.kind is ActivityKind.DIVIDEND:
            due = Money((held * event.number).quantize(CENT, ROUND_HALF_UP))
            self._pay(at, due)
            self._tell(replace(told, amount=due, quantity=Quantity(held), rate=Price(event.number)))
        else:
            ratio = event.number / event.other
            self._split(at, symbol, ratio)
            came = self._quantity(symbol) - held
            self._tell(replace(told, quantity=Quantity(came)))
