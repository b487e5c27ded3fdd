"""Rules of the simulated exchange for an account and its orders: figures only, fixed for the exchange's life."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.model.values import ZERO, Fraction

USUAL = Fraction(Decimal("0.3"))
FIRST_EDITION, EDITION = 1, 2
"""Editions of the matching rules: of accounts whose opening names none, and the current one."""


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
        Scripted account events by day, in the format of `core.model.account_event`.
    sec_fee, taf_fee
        As a share of the proceeds of a sale, and USD a share sold: charged at the end of the day, up to the next cent.
    edition
        Of the matching rules; an account keeps the edition of its opening.
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

    @property
    def is_margin(self) -> bool:
        return self.multiplier > 1
