"""A candidate and a desk that every check passes, to be changed one thing at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.breaker import Breaker
from core.execution.fee_days import FeeDays
from core.execution.ledger import Ledger
from core.exit_rules import ExitWatch
from core.facts import DayStarted, Halted, Killed, ReconciliationPassed
from core.model.account import Account, Mode
from core.model.bar import Feed, Quote
from core.model.codes import HaltCause
from core.model.instrument import BrokerInstrument
from core.model.order import Effect, OrderRequest, OrderType, Side, StopHolder, TimeInForce
from core.model.session import XNYS
from core.model.staging import CheckResult, NoStop, StopPlan
from core.model.values import ClientOrderId, Money, Price, Quantity, Symbol
from core.risk.day import Day
from core.risk.gate import Candidate, Check, ReviewContext
from core.risk.protections.protection_registry import ProtectionBook
from core.risk.trading_status import TradingStatus
from core.settings.protections import ProtectionsSettings
from core.settings.risk import RiskSettings
from core.settings.settings import Settings
from core.settings.types import AmountSettings
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, NewYorkHours, at

NOW = at("10:30")
LIMIT = "100.00"

NO_FEES = FeeDays(NewYorkHours().session_on)


def usd(amount: str) -> AmountSettings:
    return AmountSettings(usd=Decimal(amount), of_equity=None)


def of_equity(part: str) -> AmountSettings:
    return AmountSettings(usd=None, of_equity=Decimal(part))


def settings(**risk: object) -> Settings:
    return Settings(risk=RiskSettings(**risk))  # type: ignore[arg-type]


def a_candidate(
    *,
    effect: Effect = Effect.OPEN,
    side: Side | None = None,
    quantity: str = "0.4",
    limit: str | None = LIMIT,
    stop_price: str | None = None,
    kind: OrderType | None = None,
    time_in_force: TimeInForce = TimeInForce.DAY,
    stop: str | None = "99.70",
    holder: StopHolder = StopHolder.BROKER,
    strategy: str = "vwap",
    signal_time: datetime = NOW,
    is_manual: bool = False,
    symbol: Symbol = SPY,
) -> Candidate:
    """By default: buy 0.4 SPY at 100, its stop at 99.70 held by the broker."""
    sells = effect in (Effect.REDUCE, Effect.CLOSE, Effect.SHORT)
    order = OrderRequest(
        client_order_id=ClientOrderId("order"), symbol=symbol, side=side or (Side.SELL if sells else Side.BUY),
        effect=effect, quantity=Quantity(Decimal(quantity)),
        type=kind or (OrderType.LIMIT if limit else OrderType.MARKET), time_in_force=time_in_force,
        limit_price=Price(Decimal(limit)) if limit else None,
        stop_price=Price(Decimal(stop_price)) if stop_price else None,
    )  # fmt: skip
    plan = StopPlan(Price(Decimal(stop)), holder) if stop else NoStop("none was typed")
    return Candidate(order, plan, strategy, signal_time, is_manual)


def an_exit(**terms: object) -> Candidate:
    return a_candidate(effect=Effect.CLOSE, stop=None, **terms)  # type: ignore[arg-type]


def a_quote(
    bid: str = "99.99", ask: str = "100.01", *, age: float = 0, feed: Feed = Feed.RECORDED, symbol: Symbol = SPY
) -> Quote:
    size = Quantity(Decimal(100))
    moment = NOW - timedelta(seconds=age)
    return Quote(symbol, moment, Price(Decimal(bid)), size, Price(Decimal(ask)), size, feed)


def an_account(equity: str = "200", buying_power: str = "200", *, is_blocked: bool = False) -> Account:
    money, block = Money(Decimal(equity)), "trading is blocked" if is_blocked else ""
    return Account(NOW, "paper", money, money, Money(Decimal(buying_power)), Decimal(1), block)


def a_control(*facts: object) -> TradingStatus:
    """A desk that was compared with its broker, and what else happened to it."""
    control = TradingStatus()
    for fact in (ReconciliationPassed(()), *facts):
        control.folds[type(fact)](NOW, fact)  # type: ignore[index,operator]
    return control


def a_day(equity: str | None = "200") -> Day:
    day = Day(NO_FEES.owed_at)
    if equity is not None:
        day.folds[DayStarted](NOW, DayStarted(THURSDAY, Money(Decimal(equity))))
    return day


def a_desk(**changes: object) -> ReviewContext:
    hours = NewYorkHours()
    ledger = changes.setdefault("ledger", Ledger(hours))
    assert isinstance(ledger, Ledger)
    desk = ReviewContext(
        at=NOW, settings=Settings(), mode=Mode.PAPER, venue=XNYS, day=THURSDAY, session=hours.session_at(NOW),
        control=a_control(), ledger=ledger, opening=a_day(), breaker=Breaker(), account=an_account(),
        quote=a_quote(), instrument=BrokerInstrument(SPY), broker_time=NOW, is_fresh=True,
        protections=ProtectionBook(ProtectionsSettings), desk_stop=ExitWatch(ledger).desk_stop,
    )  # fmt: skip
    return replace(desk, **changes)  # type: ignore[arg-type]


def said(check: Check, candidate: Candidate, desk: ReviewContext) -> tuple[CheckResult, str]:
    verdict = check.review(candidate, desk)
    assert verdict.check == check.name
    return verdict.standing, verdict.reason


KILLED = Killed("key")
HALTED = Halted(HaltCause.INVARIANT, "a promise was broken")
