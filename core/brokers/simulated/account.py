"""The account of the simulated exchange: money, shares, and activities.

Account activities of the simulated exchange beside orders: scripted events, and fees on sales.
Each has its moment: the beginning of its day, or the end of the day's trading for the fees of that day. Every query and
trade settles first, so the result does not depend on how often it is called. Without the rules for them there are none.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from functools import partial

from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.market import ExchangeMarket
from core.model.account import Account
from core.model.broker import BrokerPosition
from core.model.instrument import BrokerInstrument, Instrument, NoInstrument, share
from core.model.lazy_dataclass import dataclass
from core.model.order import Side
from core.model.reconciliation import AccountEvent, Activity, ActivityId, ActivityKind, read_events
from core.model.session import Calendar, Session
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


WHOLE = Decimal(1)
A_DAY = timedelta(days=1)
DAYS_OF_INTEREST = Decimal(360)
"""Days of a year for interest, as at Alpaca and most brokers."""
OVER_NIGHT = Decimal(2)
"""Overnight buying power as a multiple of equity, at most, by Regulation T: half of a position's value is paid."""


@dataclass(slots=True)
class Holding:
    """A net position: signed quantity, and the cost (or proceeds, if sold short) of the shares still held, USD."""

    instrument: Instrument
    quantity: Decimal = ZERO
    cost: Decimal = ZERO

    def change(self, signed: Decimal, price: Decimal) -> None:
        """Add to it at `price`, or reduce it at its own average. The exchange never lets one order do both."""
        if self.quantity * signed >= ZERO:
            self.cost += self.instrument.cost(signed, price)
        elif self.quantity + signed == ZERO:
            self.cost = ZERO
        else:
            self.cost += self.cost * signed / self.quantity
        self.quantity += signed


class ExchangeLedger:
    """Cash, settlement and positions of the one account; `interest` is the cost of its loans so far, USD."""

    def __init__(
        self, config: ExchangeConfig, calendar: Calendar, instrument: Callable[[Symbol], Instrument] = share
    ) -> None:
        self.cash = config.cash
        self._config = config
        self._calendar = calendar
        self._instrument = instrument
        self._holdings: dict[Symbol, Holding] = {}
        self._unsettled: dict[date, Decimal] = {}
        self.interest = ZERO
        self._charged_until: date | None = None
        self._changed_on: date | None = None
        self._evening: tuple[Decimal, Mapping[Symbol, Decimal]] = (config.cash, {})
        self._activities = AccountActivities(config, calendar, self.quantity, self._pay, self._split, self._receive)

    def quantity(self, symbol: Symbol) -> Decimal:
        """Return the shares held, signed."""
        holding = self._holdings.get(symbol)
        return ZERO if holding is None else holding.quantity

    def is_short(self, symbol: Symbol) -> bool:
        return self.quantity(symbol) < ZERO

    @property
    def activities(self) -> list[Activity]:
        """The account activities so far, without orders."""
        return self._activities.told

    def settle(self, at: datetime) -> None:
        """Apply due events: before any trade, and before any figures are read."""
        self._activities.settle(at)

    def _pay(self, at: datetime, amount: Decimal) -> None:
        self._charge(at)
        self._turn_day(at)
        self.cash += amount

    def _split(self, at: datetime, symbol: Symbol, ratio: Decimal) -> None:
        self._turn_day(at)
        self._holdings[symbol].quantity *= ratio

    def _receive(self, at: datetime, symbol: Symbol, quantity: Decimal, price: Decimal) -> None:
        self._turn_day(at)
        holding = self._holdings.setdefault(symbol, Holding(self._instrument(symbol)))
        holding.change(quantity, price)
        if holding.quantity == ZERO:
            del self._holdings[symbol]

    def execute(self, symbol: Symbol, side: Side, quantity: Quantity, price: Price, at: datetime) -> None:
        """Apply one execution: shares, money and the fee."""
        self.settle(at)
        self._charge(at)
        self._turn_day(at)
        signed = quantity if side is Side.BUY else -quantity
        fee = self._config.fee_per_share * quantity
        worth = self._instrument(symbol).cost(quantity, price)
        self.cash -= (worth if side is Side.BUY else -worth) + fee
        if side is Side.SELL:
            settles = self._calendar.trading_day(at)
            moment = at
            for _ in range(self._config.settlement_days):
                session = self._calendar.next_session(moment)
                settles, moment = session.day, session.open
            self._unsettled[settles] = self._unsettled.get(settles, ZERO) + worth - fee
            self._activities.sold(quantity, worth, at)
        holding = self._holdings.setdefault(symbol, Holding(self._instrument(symbol)))
        holding.change(signed, price)
        if holding.quantity == ZERO:
            del self._holdings[symbol]

    def settled_cash(self, at: datetime) -> Decimal:
        """Return the cash that a cash account may spend: the proceeds of a sale count from their settlement day."""
        self.settle(at)
        today = self._calendar.trading_day(at)
        self._unsettled = {day: amount for day, amount in self._unsettled.items() if day > today}
        return self.cash - sum(self._unsettled.values(), ZERO)

    def buying_power(self, at: datetime, market: ExchangeMarket, reserved: Decimal) -> Decimal:
        """Return the highest cost of a new opening order, USD, never below zero.

        A cash account has its settled cash, a margin account its multiple of equity less its holdings, both less the
        reserves of working orders.
        """
        if not self._config.is_margin:
            return max(self.settled_cash(at) - reserved, ZERO)
        self.settle(at)
        self._charge(at)
        values = self._values(lambda symbol: market.price(symbol, at)).values()
        return self._lendable(self.cash + sum(values, ZERO), sum(map(abs, values), ZERO), reserved)

    def _lendable(self, equity: Decimal, exposure: Decimal, reserved: Decimal) -> Decimal:
        return max(self._config.multiplier * equity - exposure - reserved, ZERO)

    def closing(self, at: datetime, market: ExchangeMarket) -> tuple[Decimal, Decimal]:
        """Return equity and the value of the holdings, long and short together, at the closes of a day, USD."""
        self.settle(at)
        self._charge(at)
        day = self._calendar.trading_day(at)
        values = self._values(lambda symbol: market.close(symbol, day)).values()
        return self.cash + sum(values, ZERO), sum(map(abs, values), ZERO)

    def account(
        self,
        at: datetime,
        market: ExchangeMarket,
        reserved: Decimal,
        instrument: Callable[[Symbol], BrokerInstrument | NoInstrument],
    ) -> Account:
        """Return its figures.

        On margin a position counts with its requirement, and a cash account has paid for all of it.
        """
        self.settle(at)
        self._charge(at)
        values = self._values(lambda symbol: market.price(symbol, at))
        equity = self.cash + sum(values.values(), ZERO)
        exposure = sum(map(abs, values.values()), ZERO)
        if self._config.is_margin:
            day, unsettled = self._lendable(equity, exposure, reserved), ZERO
        else:
            settled = self.settled_cash(at)
            day, unsettled = max(settled - reserved, ZERO), self.cash - settled
        required = {symbol: self._requirement(instrument(symbol), value) for symbol, value in values.items()}
        least = 1 / self._config.multiplier
        return Account(
            at=at,
            name=self._config.account,
            equity=Money(equity),
            cash=Money(self.cash),
            buying_power=Money(day),
            multiplier=self._config.multiplier,
            unsettled=Money(unsettled),
            initial_margin=Money(sum((abs(v) * max(least, required[s]) for s, v in values.items()), ZERO)),
            maintenance_margin=Money(sum((abs(v) * required[s] for s, v in values.items()), ZERO)),
            overnight_buying_power=Money(self._over_night(equity, exposure, reserved, day)),
            last_equity=self._last_equity(at, market),
        )

    def _turn_day(self, at: datetime) -> None:
        """Before the first change of cash or shares on a day, keep both as of the days before."""
        today = self._calendar.trading_day(at)
        if today != self._changed_on:
            self._evening, self._changed_on = self._left(), today

    def _left(self) -> tuple[Decimal, Mapping[Symbol, Decimal]]:
        return self.cash, {symbol: held.quantity for symbol, held in self._holdings.items()}

    def _last_equity(self, at: datetime, market: ExchangeMarket) -> Money | None:
        """Return equity at the last close, at first the opening balance; None if the close of a holding is unknown.

        It depends on the executions alone, not on earlier calls.
        """
        today = self._calendar.trading_day(at)
        worth, held = self._evening if self._changed_on == today else self._left()
        for symbol, quantity in held.items():
            close = market.close(symbol, today - A_DAY)
            if close is None:
                return None
            worth += self._instrument(symbol).notional(quantity, close)
        return Money(worth)

    def _charge(self, at: datetime) -> None:
        """Charge interest for each night since the last time, on the loan over it, to the cent.

        Cash changes by executions alone, and each charges first: so the result does not depend on how often it is
        called.
        """
        rate = self._config.margin_interest
        if not rate:
            return
        today = self._calendar.trading_day(at)
        nights = 0 if self._charged_until is None else (today - self._charged_until).days
        self._charged_until = today
        nights = nights if self.cash < ZERO else 0
        if nights:
            self._turn_day(at)
        for _ in range(nights):
            due = (-self.cash * rate / DAYS_OF_INTEREST).quantize(CENT, ROUND_HALF_UP)
            self.cash -= due
            self.interest += due
            self._activities.paid(ActivityKind.INTEREST, today, -due)

    def _requirement(self, instrument: BrokerInstrument | NoInstrument, value: Decimal) -> Decimal:
        """Return the maintenance requirement as a share of a position's value."""
        if not self._config.is_margin:
            return ZERO
        if isinstance(instrument, NoInstrument) or not instrument.is_marginable:
            return WHOLE
        own = instrument.long_requirement if value > ZERO else instrument.short_requirement
        return self._config.requirement if own is None else own

    def _over_night(self, equity: Decimal, exposure: Decimal, reserved: Decimal, day: Decimal) -> Decimal:
        """Return the overnight buying power.

        Regulation T limits its multiple of equity to two; by day it may be more.
        """
        if self._config.multiplier <= OVER_NIGHT:
            return day
        return max(OVER_NIGHT * equity - exposure - reserved, ZERO)

    def positions(self) -> tuple[BrokerPosition, ...]:
        return tuple(
            BrokerPosition(symbol, Quantity(held.quantity), held.instrument.price_of(held.quantity, held.cost))
            for symbol, held in sorted(self._holdings.items())
        )

    def _values(self, price_of: Callable[[Symbol], Price | None]) -> Mapping[Symbol, Decimal]:
        """Return the market value of each position, USD, signed; its cost without a price."""
        values: dict[Symbol, Decimal] = {}
        for symbol, held in self._holdings.items():
            price = price_of(symbol)
            values[symbol] = held.cost if price is None else held.instrument.notional(held.quantity, price)
        return values
