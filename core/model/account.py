"""The account's figures as the broker reports them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from core.model.values import NO_MONEY, Money


class Mode(Enum):
    """Paper or real money."""

    PAPER = "paper"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Account:
    """Figures of one account, in USD, as they were `at`.

    `buying_power` already excludes amounts that the broker reserves for working orders, and unsettled cash: on a cash
    account the proceeds of a sale, `unsettled`, may be spent a trading day later.

    Attributes
    ----------
    multiplier
        Buying power as a multiple of equity: 1 is a cash account, above it is margin.
    initial_margin, maintenance_margin
        Margin required to open the holdings, and to keep them. None if not reported (RK-14).
    overnight_buying_power
        The highest cost of an entry held overnight; `buying_power` is the day's. None if not reported.
    last_equity
        Equity at the close of the trading day before, from which the day's loss counts (RK-03). None if not reported.
    sells_short
        Whether the broker lets the account sell short at all.
    """

    at: datetime
    name: str
    equity: Money
    cash: Money
    buying_power: Money
    multiplier: Decimal
    is_blocked: bool = False
    unsettled: Money = NO_MONEY
    initial_margin: Money | None = None
    maintenance_margin: Money | None = None
    overnight_buying_power: Money | None = None
    last_equity: Money | None = None
    sells_short: bool = True

    @property
    def lends(self) -> bool:
        """Whether the broker lends against the holdings: a margin account."""
        return self.multiplier > 1


@dataclass(frozen=True, slots=True)
class NoAccount:
    """No account figures, and why."""

    reason: str
