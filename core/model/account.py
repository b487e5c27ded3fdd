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
    """

    at: datetime
    name: str
    equity: Money
    cash: Money
    buying_power: Money
    multiplier: Decimal
    is_blocked: bool = False
    unsettled: Money = NO_MONEY


@dataclass(frozen=True, slots=True)
class NoAccount:
    """No account figures, and why."""

    reason: str
