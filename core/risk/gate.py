"""The one gate (RK-01): an ordered list of checks; all run, all reasons are kept.

A check that refuses, raises or cannot decide refuses an entry. For an order that only reduces it warns (RK-22).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Protocol

from core.execution.breaker import Breaker
from core.execution.ledger import Ledger
from core.model.account import Account, Mode, NoAccount
from core.model.bar import Feed, NoQuote, Quote, TradingHalt
from core.model.broker import EVERYTHING, Capabilities, OrderReport
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest, Side, refused_for_its_legs
from core.model.session import NoSession, Session, Venue
from core.model.sizing import UNKNOWN, Regime
from core.model.staging import CheckResult, NoStop, Review, StopPlan, Verdict
from core.model.values import ZERO, Money, Price, Symbol
from core.risk.capital_allocation import Allocations
from core.risk.day import Day, Signed
from core.risk.exposure import Confirmed, DayValueState, DeskStop, exposure_by_symbol
from core.risk.margin import MarginState
from core.risk.message_counts import MessageCounts
from core.risk.price_history import PriceHistory, Volumes
from core.risk.protections.protection_registry import Override, ProtectionBook
from core.risk.recent_entries import RecentEntries
from core.risk.sizing_history import SizingBook
from core.risk.trading_status import SymbolLists, TradingStatus
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.staging.resting_entries import Reach, aimed_at, reach_of

NOT_ASKED = NoSession("the calendar was not asked")


Reached = tuple[Quote | NoQuote, Reach | None]


@dataclass(frozen=True, slots=True)
class StrategyLoss:
    """What a strategy has lost today, USD; None while a position of it has no price.

    `is_shut` says that it reached its own limit today, whatever was made good since.
    """

    lost: Decimal | None
    is_shut: bool = False


NOTHING_LOST = StrategyLoss(ZERO)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An order to review, with its stop and origin."""

    order: OrderRequest
    stop: StopPlan | NoStop
    strategy: str
    signal_time: datetime
    is_manual: bool
    only_reduces: bool = field(init=False, compare=False, repr=False)
    """Cached from the order's effect, because every check reads it."""
    _reaches: list[Reached] = field(default_factory=list, init=False, compare=False, repr=False)
    _costs: list[tuple[Quote | NoQuote, Money | None]] = field(
        default_factory=list, init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "only_reduces", self.order.effect.only_reduces)

    def price(self, quote: Quote | NoQuote) -> Price | None:
        """Return the price per share in USD; for an entry the highest possible one.

        A short sale at a limit fills at the bid if that is higher. None if the price is unknown.
        """
        if not self.only_reduces:
            reach = self._reach(quote)
            return None if reach is None else reach.most
        if self.order.limit_price is not None:
            return self.order.limit_price
        if isinstance(quote, NoQuote):
            return self.order.stop_price
        return self._touch(quote)

    def cost(self, quote: Quote | NoQuote) -> Money | None:
        """Return the cost of the order at that price, USD; None if unknown. Computed once per quote."""
        if self._costs and self._costs[-1][0] is quote:
            return self._costs[-1][1]
        price = self.price(quote)
        cost = None if price is None else self.order.cost(price)
        self._costs.append((quote, cost))
        return cost

    def farthest(self, quote: Quote | NoQuote) -> Price | None:
        """Return the possible entry price farthest from the stop, USD: the largest loss and the smallest gain."""
        reach = self._reach(quote)
        if reach is None:
            return None
        return reach.most if self.order.side is Side.BUY else reach.least

    def nearest(self, quote: Quote | NoQuote) -> Price | None:
        """Return the possible entry price nearest to the stop, USD: a stop on its wrong side trades at once."""
        reach = self._reach(quote)
        if reach is None:
            return None
        return reach.least if self.order.side is Side.BUY else reach.most

    def _reach(self, quote: Quote | NoQuote) -> Reach | None:
        """Return the reach, computed once per quote: most checks use it."""
        if self._reaches and self._reaches[-1][0] is quote:
            return self._reaches[-1][1]
        # Compute the reach; a stop-limit starts at its trigger, wherever the market is.
        order, touch = self.order, self._touch(quote)
        met = order.stop_price if order.type.has_stop else touch
        if order.limit_price is None:
            met = aimed_at(order, touch)
        reach = reach_of(order.side, order.limit_price, met)
        self._reaches.append((quote, reach))
        return reach

    def _touch(self, quote: Quote | NoQuote) -> Price | None:
        if isinstance(quote, NoQuote):
            return None
        return quote.ask if self.order.side is Side.BUY else quote.bid


@dataclass(slots=True)
class ReviewContext:
    """The state that a review reads.

    `is_fresh` means that account, quote and clock were fetched for this review. `session` is the one open now,
    `session_of_day` the day's. `others` are external working orders at the broker, as last seen, and `differing` the
    symbols of which the broker's books had another quantity then. `instruments` and `prices` are the last known ones of
    every symbol, for limits over all holdings. `last` returns a symbol's last price, or None; `desk_stop` the stop that
    the desk watches for a position. `signed` are the confirmed entries of a strategy, the first one first; `confirmed`
    all confirmed entries and their costs. `strategy_loss` returns what a strategy has lost today.
    """

    at: datetime
    settings: Settings
    mode: Mode
    venue: Venue
    day: date
    session: Session | NoSession
    control: TradingStatus
    ledger: Ledger
    opening: Day
    breaker: Breaker
    account: Account | NoAccount
    quote: Quote | NoQuote
    instrument: BrokerInstrument | NoInstrument
    broker_time: datetime | None
    is_fresh: bool
    protections: ProtectionBook
    session_of_day: Session | NoSession = NOT_ASKED
    others: tuple[OrderReport, ...] = ()
    differing: frozenset[Symbol] = frozenset()
    regime: Regime = UNKNOWN
    sizing: SizingBook = field(default_factory=SizingBook)
    last: Callable[[Symbol], Price | None] = lambda _symbol: None
    desk_stop: DeskStop = lambda _position: None
    instruments: Mapping[Symbol, BrokerInstrument] = field(default_factory=dict)
    prices: Callable[[Symbol], tuple[datetime, Price] | None] = lambda _symbol: None
    allocations: Allocations = field(default_factory=Allocations)
    signed: Signed = lambda _strategy: ()
    price_history: PriceHistory = field(default_factory=PriceHistory)
    volumes: Volumes = field(default_factory=Volumes)
    day_value: DayValueState = field(default_factory=DayValueState)
    confirmed: Confirmed = tuple
    margin: MarginState = field(default_factory=MarginState)
    messages: MessageCounts = field(default_factory=lambda: MessageCounts(datetime.date))
    lists: SymbolLists = field(default_factory=SymbolLists)
    recent: RecentEntries = field(default_factory=RecentEntries)
    halted: Mapping[Symbol, TradingHalt] = field(default_factory=dict)
    capabilities: Capabilities = EVERYTHING
    strategy_loss: Callable[[str], StrategyLoss] = lambda _strategy: NOTHING_LOST
    quote_of_now: Quote | NoQuote = field(init=False, compare=False, repr=False)
    """The quote if it is recent or was fetched for this review; an old one says nothing about a fill."""
    equity: Decimal | None = field(init=False, compare=False, repr=False)
    """The equity for limits that are a share of it: the day's opening, as for sizes (RK-02); else today's.

    None if neither is known.
    """
    _exposures: list[tuple[OrderRequest, Mapping[Symbol, Money], Money]] = field(
        default_factory=list, init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        self.quote_of_now = self._young_quote()
        self.equity = self.opening.opening_equity(self.day)
        if self.equity is None and isinstance(self.account, Account):
            self.equity = self.account.equity

    def exposure(self, but: OrderRequest) -> tuple[Mapping[Symbol, Money], Money]:
        """Return USD held and coming per symbol and in all, without this order; cached per order."""
        if not self._exposures or self._exposures[-1][0] is not but:
            by_symbol = exposure_by_symbol(self.ledger, self.prices, but)
            self._exposures.append((but, by_symbol, Money(sum(by_symbol.values(), ZERO))))
        return self._exposures[-1][1:]

    def _young_quote(self) -> Quote | NoQuote:
        if isinstance(self.quote, NoQuote) or self.is_fresh:
            return self.quote
        return NoQuote("the last one is old") if is_old(self.quote, self.at, self.settings.risk) else self.quote


def is_old(quote: Quote, at: datetime, risk: RiskSettings) -> bool:
    """Whether a quote says nothing about a fill at that time any more (RK-17)."""
    limit = risk.quote_age_seconds_iex if quote.feed is Feed.IEX else risk.quote_age_seconds
    return quote.age(at).total_seconds() > limit


class Check(Protocol):
    """One rule of the gate."""

    @property
    def name(self) -> str: ...

    def review(self, candidate: Candidate, state: ReviewContext) -> Verdict | None:
        """Return None if there is nothing to check."""
        ...


class Gate:
    """Runs every check on every order. A multi-leg order is refused as a whole, because no check can weigh it."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self.checks = tuple(checks)

    def review(self, candidate: Candidate, state: ReviewContext) -> Review:
        if not candidate.order.is_of_one_leg:
            return Review((Verdict("legs", CheckResult.REFUSES, refused_for_its_legs(candidate.order)),))
        verdicts = []
        for check in self.checks:
            verdict: Verdict | None
            try:
                verdict = check.review(candidate, state)
            except Exception as error:  # a check that cannot decide refuses
                verdict = Verdict(check.name, CheckResult.REFUSES, f"could not decide: {type(error).__name__}: {error}")
            if verdict is not None:
                verdicts.append(verdict)
        return Review(tuple(map(_warning, verdicts) if candidate.only_reduces else verdicts))


def _warning(verdict: Verdict) -> Verdict:
    """Turn a refusal into a warning, for an order that only reduces."""
    if verdict.standing is not CheckResult.REFUSES:
        return verdict
    return Verdict(verdict.check, CheckResult.WARNS, verdict.reason)


# ── verdicts ─────────────────────────────────────────────────────────────────────────────────────────────────────────
# Verdict constructors.

AT_THE_TICKET = "asked at the ticket"
LET_PASS = "risk.on_missing_equity lets it pass"
NO_QUOTE = "no quote: "
NOT_KNOWN = "not known"
UNMEASURED = (AT_THE_TICKET, LET_PASS, NO_QUOTE, NOT_KNOWN)
"""Phrases of a verdict that measured nothing because a figure was missing."""


@lru_cache(maxsize=256)
def passed(check: str, reason: str) -> Verdict:
    """Pass with a constant reason; for a reason with figures use `unsaid`."""
    return Verdict(check, CheckResult.PASSES, reason)


@lru_cache(maxsize=256)
def warned(check: str, reason: str) -> Verdict:
    return Verdict(check, CheckResult.WARNS, reason)


def refused(check: str, reason: str) -> Verdict:
    return Verdict(check, CheckResult.REFUSES, reason)


def unmeasured(check: str, reason: str, *, is_fresh: bool) -> Verdict:
    """Refuse for a missing figure (RK-01), or warn while the ticket has not fetched it yet."""
    return refused(check, reason) if is_fresh else warned(check, f"{reason}; {AT_THE_TICKET}")


def without_equity(check: str, reason: str, state: ReviewContext) -> Verdict:
    """Refuse for missing equity, or warn if the operator's settings allow it (RK-03)."""
    if state.settings.risk.on_missing_equity == "allow":
        return warned(check, f"{reason}; {LET_PASS}")
    return refused(check, reason)


def lacking(check: str, price: Decimal | None, state: ReviewContext) -> Verdict:
    """Report a missing price, or else the missing equity that a limit is a part of."""
    if price is None:
        return unmeasured(check, "no price to measure it by", is_fresh=state.is_fresh)
    if state.settings.risk.on_missing_equity == "allow":
        return without_equity(check, "no equity to measure it by", state)
    return unmeasured(check, "no equity to measure it by", is_fresh=state.is_fresh)


@lru_cache(maxsize=8)
def without(quote: NoQuote) -> str:
    return f"{NO_QUOTE}{quote.reason}"


def usd(amount: Decimal) -> str:
    return f"{amount:,.2f} USD"


def overridden_until(override: Override, at: datetime, venue: Venue) -> str:
    return f"overridden by you until {venue.dated(override.until, at)}"
