"""How the simulated exchange treats an account and its orders: figures only, fixed for the exchange's life."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.model.values import ZERO, Fraction

USUAL = Fraction(Decimal("0.3"))
FIRST_EDITION, EDITION = 1, 2
"""Of the rules by which orders meet prices: those of accounts whose opening names none, and today's."""


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
        Of the value of what is held on margin, long or short, to keep it: where an instrument has none of its own. What
        brokers usually ask; FINRA's Rule 4210 asks a quarter of a long position at least.
    slippage
        Of the price, on market fills and elected stops; positive is worse for us.
    half_spread_ticks
        From the last price to either side of a derived quote.
    participation
        The part of a bar's volume that all our orders on a symbol may take.
    fee_per_share
        USD, on every execution.
    settlement_days
        Trading days until a cash account may spend a sale.
    seed
        Name of what made the market, and of what goes wrong: the exchange itself draws nothing by chance.
    slippage_by_size
        More slippage, of the price, for an order as large as all that our orders may take of the bar; less for less.
    partial_fills, rejections
        Of executions, those that get only a part; of orders, those refused although no rule says so.
    halts, halt_minutes
        Of sessions, those in which a symbol does not trade for so long.
    margin_interest
        A year, on cash below zero, charged for each night.
    events
        What happens to the account on which day, as `core.model.account_event` reads it.
    sec_fee, taf_fee
        Of the proceeds of a sale, and USD a share sold: charged at the end of the day, up to the next cent.
    edition
        Of the rules by which orders meet prices; an account keeps the one that it was opened under.
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
