"""A small trading floor for the tests of the simulated exchange: New York hours, bars, orders, and one exchange."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.exchange import SimulatedExchange
from core.brokers.simulated.log import Record
from core.model.bar import Bar, Feed, Quote
from core.model.broker import Accepted, OrderReport, OrderUpdate, Refused
from core.model.instrument import BrokerInstrument
from core.model.order import Effect, Leg, LegRole, OrderClass, OrderRequest, OrderType, Side, TimeInForce
from core.model.session import XNYS, AnnouncedDay, NoSession, Session, Venue
from core.model.values import ClientOrderId, Fraction, Price, Quantity, Symbol, plain

NEW_YORK = ZoneInfo("America/New_York")
SPY = Symbol("SPY")
IBM = Symbol("IBM")
THURSDAY = date(2026, 11, 19)
STORIES: dict[str, Any] = {"half_spread_ticks": Decimal(0)}
"""What stories of the desk are told on: today's exchange, with nothing between bid and ask, so that a limit at the last
price is filled as it arrives. A story that lives by the tick between them says so."""


@dataclass(frozen=True)
class NewYorkHours:
    """09:30 to 16:00 on weekdays; Thanksgiving is closed and the day after it closes at 13:00."""

    holidays: frozenset[date] = frozenset({date(2026, 11, 26)})
    half_days: frozenset[date] = frozenset({date(2026, 11, 27)})
    venue: Venue = XNYS

    @lru_cache(maxsize=4096)  # noqa: B019  a handful of calendars, each the same in all tests
    def session_on(self, day: date) -> Session | NoSession:
        if day.weekday() >= 5 or day in self.holidays:
            return NoSession("weekend or holiday")
        close = time(13) if day in self.half_days else time(16)
        return Session(day, new_york(day, time(9, 30)), new_york(day, close))

    def session_at(self, at: datetime) -> Session | NoSession:
        session = self.session_on(self.trading_day(at))
        return session if isinstance(session, Session) and session.holds(at) else NoSession("closed")

    def next_session(self, at: datetime) -> Session:
        day = self.trading_day(at)
        while True:
            session = self.session_on(day)
            if isinstance(session, Session) and session.open > at:
                return session
            day += timedelta(days=1)

    def trading_day(self, at: datetime) -> date:
        return day_of(at)

    def follow(self, days: Iterable[AnnouncedDay]) -> None:
        raise NotImplementedError("its hours never change: take `load_calendar`")


@lru_cache(maxsize=4096)
def day_of(at: datetime) -> date:
    return at.astimezone(NEW_YORK).date()


@lru_cache(maxsize=4096)
def new_york(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


def at(clock: str, day: date = THURSDAY) -> datetime:
    """A New York time of day, as UTC."""
    return new_york(day, time.fromisoformat(clock))


@lru_cache(maxsize=4096)
def a_bar(clock: str, prices: str, volume: int = 100_000, symbol: Symbol = SPY, day: date = THURSDAY) -> Bar:
    """`prices` are open, high, low and close, one price for all four where there is one."""
    numbers = [Price(Decimal(text)) for text in prices.split()]
    open_, high, low, close = numbers * 4 if len(numbers) == 1 else numbers
    return Bar(symbol, at(clock, day), open_, high, low, close, Quantity(Decimal(volume)))


def a_quote(clock: str, bid: str, ask: str, size: int = 500, symbol: Symbol = SPY) -> Quote:
    shares = Quantity(Decimal(size))
    return Quote(symbol, at(clock), Price(Decimal(bid)), shares, Price(Decimal(ask)), shares, Feed.RECORDED)


def an_order(
    name: str,
    side: Side,
    quantity: str,
    *,
    limit: str | None = None,
    stop: str | None = None,
    trail: str | None = None,
    trail_fraction: str | None = None,
    order_class: OrderClass = OrderClass.SIMPLE,
    legs: tuple[Leg, ...] = (),
    time_in_force: TimeInForce = TimeInForce.DAY,
    symbol: Symbol = SPY,
    extended_hours: bool = False,
    effect: Effect | None = None,
) -> OrderRequest:
    kind = OrderType.LIMIT if limit else OrderType.STOP if stop else OrderType.MARKET
    if limit and stop:
        kind = OrderType.STOP_LIMIT
    if trail or trail_fraction:
        kind = OrderType.TRAILING_STOP
    return OrderRequest(
        client_order_id=ClientOrderId(name), symbol=symbol, side=side,
        effect=effect or (Effect.OPEN if side is Side.BUY else Effect.CLOSE), quantity=Quantity(Decimal(quantity)),
        type=kind, time_in_force=time_in_force, limit_price=None if limit is None else Price(Decimal(limit)),
        stop_price=None if stop is None else Price(Decimal(stop)),
        trail_price=None if trail is None else Price(Decimal(trail)),
        trail_fraction=None if trail_fraction is None else Fraction(Decimal(trail_fraction)), order_class=order_class,
        legs=legs, extended_hours=extended_hours,
    )  # fmt: skip


def a_stop_leg(price: str, limit: str | None = None) -> Leg:
    return Leg(LegRole.STOP, Price(Decimal(price)), None if limit is None else Price(Decimal(limit)))


def a_target_leg(price: str) -> Leg:
    return Leg(LegRole.TARGET, limit_price=Price(Decimal(price)))


@dataclass
class Notebook:
    """A log that keeps its records in memory."""

    records: list[Record] = field(default_factory=list)

    def append(self, record: Record) -> None:
        self.records.append(record)


class Floor:
    """An exchange, its log, and short words for what a test does with it."""

    def __init__(self, instruments: Mapping[Symbol, BrokerInstrument] | None = None, **rules: object) -> None:
        figures: dict[str, object] = {"cash": Decimal(100_000), **rules}
        self.notebook = Notebook()
        self.config = ExchangeConfig(**figures)  # type: ignore[arg-type]
        self.exchange = SimulatedExchange(self.config, NewYorkHours(), self.notebook, instruments)

    def bars(self, *bars: Bar) -> None:
        for bar in bars:
            self.exchange.begin_bar(bar)

    def buys(self, clock: str, quantity: str, name: str = "buy", **terms: object) -> Accepted | Refused:
        return submits(self.exchange, at(clock), an_order(name, Side.BUY, quantity, **terms))  # type: ignore[arg-type]

    def sells(self, clock: str, quantity: str, name: str = "sell", **terms: object) -> Accepted | Refused:
        return submits(self.exchange, at(clock), an_order(name, Side.SELL, quantity, **terms))  # type: ignore[arg-type]

    def report(self, clock: str, name: str, day: date = THURSDAY) -> OrderReport:
        report = self.exchange.order(at(clock, day), ClientOrderId(name))
        assert isinstance(report, OrderReport)
        return report

    def fills(self, clock: str, name: str, day: date = THURSDAY) -> list[tuple[str, str]]:
        """Quantity and price of each execution up to a time."""
        return [(plain(e.quantity), plain(e.price)) for e in self.report(clock, name, day).executions]

    def updates(self) -> list[str]:
        """The outbox as `name event New-York-time`."""
        return [told(update) for update in self.exchange.take_updates()]


def submits(exchange: SimulatedExchange, moment: datetime, order: OrderRequest) -> Accepted | Refused:
    """With the effect that the order has on what is held by then."""
    exchange.advance(moment)
    held = exchange._ledger.quantity(order.symbol)
    closes = held * (1 if order.side is Side.SELL else -1) > 0
    effects = (Effect.CLOSE, Effect.SHORT) if order.side is Side.SELL else (Effect.COVER, Effect.OPEN)
    return exchange.submit(moment, replace(order, effect=effects[not closes]))


def told(update: OrderUpdate) -> str:
    clock = update.at.astimezone(NEW_YORK).time().isoformat()
    return f"{update.report.client_order_id} {update.event.value} {clock}"
