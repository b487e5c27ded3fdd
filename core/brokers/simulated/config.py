"""Rules of the simulated exchange: figures, hours, instruments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core.model.instrument import BrokerInstrument, Instrument, NoInstrument, share
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest
from core.model.session import Calendar, Session
from core.model.values import ZERO, Fraction, Symbol

USUAL = Fraction(Decimal("0.3"))
FIRST_EDITION, INTENT_EDITION, EDITION = 1, 3, 3
"""Editions of the rules: of accounts whose opening names none, the first that holds an order to its effect, and the
current one.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeConfig:
    """The rules of one exchange and the one account on it.

    Attributes
    ----------
    account
        The account's name.
    cash
        Opening balance, USD.
    multiplier
        1 is a cash account: settled cash only, no short sales. Above 1 is margin.
    requirement
        Maintenance requirement as a share of the value held on margin, long or short, for instruments without one of
        their own. The usual requirement of brokers; FINRA's Rule 4210 asks at least a quarter of a long position.
    slippage
        As a share of the price, on market fills and elected stops; positive is worse for us.
    half_spread_ticks
        From the last price to either side of a derived quote.
    participation
        The part of a bar's volume that all our orders on a symbol may take.
    fee_per_share
        USD, on every execution.
    settlement_days
        Trading days until a cash account may spend a sale.
    seed
        Name of the market's generator, and of the frictions: the exchange itself draws no random numbers.
    slippage_by_size
        Additional slippage, as a share of the price, for an order as large as all that our orders may take of the bar;
        proportionally less for a smaller one.
    partial_fills, rejections
        Share of executions that are only partial; share of orders refused without a rule.
    halts, halt_minutes
        Share of sessions in which a symbol is halted, and the length of the halt.
    margin_interest
        A year, on cash below zero, charged for each night.
    events
        Scripted account events by day, in the format of `core.model.reconciliation`.
    sec_fee, taf_fee
        As a share of the proceeds of a sale, and USD a share sold: charged at the end of the day, up to the next cent.
    edition
        Of the rules; an account keeps the edition of its opening.
    cancel_seconds
        Time for which a cancel of a working order stays pending.
    cancels_wait
        Whether a cancel that is sent while the market is closed stays pending until it opens, as at Alpaca.
    """

    account: str = "SIM"
    cash: Decimal = Decimal(200)
    multiplier: Decimal = Decimal(1)
    requirement: Fraction = USUAL
    slippage: Decimal = ZERO
    half_spread_ticks: Decimal = Decimal(1)
    participation: Decimal = Decimal("0.1")
    fee_per_share: Decimal = ZERO
    settlement_days: int = 1
    seed: str = ""
    slippage_by_size: Decimal = ZERO
    partial_fills: Decimal = ZERO
    rejections: Decimal = ZERO
    halts: Decimal = ZERO
    halt_minutes: int = 5
    margin_interest: Decimal = ZERO
    events: str = ""
    sec_fee: Decimal = ZERO
    taf_fee: Decimal = ZERO
    edition: int = EDITION
    cancel_seconds: Decimal = ZERO
    cancels_wait: bool = False

    @property
    def has_frictions(self) -> bool:
        """Whether an order may cost more, or fill less, than at a quoted price."""
        return any(
            (
                self.slippage,
                self.slippage_by_size,
                self.partial_fills,
                self.rejections,
                self.halts,
                self.margin_interest,
            )
        )

    @property
    def is_margin(self) -> bool:
        return self.multiplier > 1


class ExchangeHours:
    """Called with times that never go back: the last session is checked first."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._session: Session | None = None
        self._day: Session | None = None

    def session(self, at: datetime) -> Session:
        """Return the session that is open at `at`, or the next one."""
        known = self._session
        if known is None or at >= known.close or self._calendar.session_on(known.day) is not known:
            found = self._calendar.session_at(at)
            self._session = found if isinstance(found, Session) else self._calendar.next_session(at)
        assert self._session is not None
        return self._session

    def day_end(self, order: OrderRequest, at: datetime) -> datetime:
        """Return when a day order that arrives at `at` expires."""
        return self._span_of(self._day_of(at))[1] if order.extended_hours else self.session(at).close

    def is_extended(self, at: datetime) -> bool:
        """Return whether it is outside the session, and within its extended hours."""
        session = self._day_of(at)
        first, last = self._span_of(session)
        return first <= at < last and not session.holds(at)

    def extended_span(self, at: datetime) -> tuple[datetime, datetime]:
        """Return the current or next extended hours at `at`: their first instant, and the first after them."""
        return self._span_of(self._day_of(at))

    def _day_of(self, at: datetime) -> Session:
        """Return the session whose extended hours have not ended at `at`: of the same day, or the next one."""
        if self._day is None or at >= self._span_of(self._day)[1]:
            found = self._calendar.session_on(self._calendar.trading_day(at))
            is_on = isinstance(found, Session) and at < self._span_of(found)[1]
            self._day = found if is_on and isinstance(found, Session) else self._calendar.next_session(at)
        return self._day

    def _span_of(self, session: Session) -> tuple[datetime, datetime]:
        return self._calendar.venue.extended_span(session)


class Listing:
    """The tradable instruments; None lets every symbol trade by the default rules."""

    def __init__(self, config: ExchangeConfig, instruments: Mapping[Symbol, BrokerInstrument] | None) -> None:
        self._config = config
        self._instruments = instruments

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        """Return an instrument with its own margin requirement, or else the exchange's rule."""
        found = BrokerInstrument(symbol) if self._instruments is None else self._instruments.get(symbol)
        if found is None:
            return NoInstrument(f"{symbol} is not listed here", unlisted=symbol)
        if not self._config.is_margin:
            return found
        rule = self._config.requirement
        return replace(
            found,
            long_requirement=rule if found.long_requirement is None else found.long_requirement,
            short_requirement=rule if found.short_requirement is None else found.short_requirement,
        )

    def traded(self, symbol: Symbol) -> Instrument:
        """Return the instrument for the ledger, listed or not."""
        return share(symbol) if self._instruments is None else self._instruments.get(symbol, share(symbol))
