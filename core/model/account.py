"""What the broker says we own and may spend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from core.model.values import NO_MONEY, Money


class Mode(Enum):
    """Whose money it is."""

    PAPER = "paper"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Account:
    """Figures of one account, in USD, as they were `at`.

    `buying_power` is already less what the broker itself reserves for working orders, and less what has not settled:
    on a cash account the proceeds of a sale, `unsettled`, may be spent a trading day later.

    Attributes
    ----------
    multiplier
        How often equity is lent: 1 is a cash account, above it is margin.
    initial_margin, maintenance_margin
        What the broker requires for what is held: to open it, and to keep it. None where it does not say (RK-14).
    overnight_buying_power
        What an entry that is held over the night may cost; `buying_power` is the day's own. None where it is not told.
    last_equity
        Equity at the close of the trading day before, where the loss of the day begins (RK-03). None where it is not
        told.
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
        """Whether the broker lends against what is held: a margin account."""
        return self.multiplier > 1


@dataclass(frozen=True, slots=True)
class NoAccount:
    """No account figures, and why."""

    reason: str
