"""The strategy's view of the account and its position, beside the bar (ST-03)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core.model.recommendation import Recommendation
from core.model.session import Session, Venue
from core.model.values import ZERO, Money, Price, Quantity
from core.risk.size_factors.base import Conditions

NO_SHARES = Quantity(ZERO)


@dataclass(slots=True)
class Context:
    """One strategy's view of the desk for one symbol. The orchestrator keeps it up to date; a strategy only reads it.

    Attributes
    ----------
    is_enabled, is_paused
        Whether it may open at all; if not, whether that is because the operator paused it.
    is_day_disabled
        The strategy's loss reached its limit today.
    entries_filled, entries_allowed
        Entries of this session with at least one filled share, and their limit.
    window_first, window_last
        First and last bar start for an entry, UTC, both included (RK-07).
    held
        Shares of this strategy's position, signed; zero is flat.
    entry_price
        Average price of the position, USD; None when flat.
    entered_at
        When the position was opened, UTC; None when flat.
    recommendation
        The operator's adopted recommendation for this strategy and symbol, not used yet (ST-04).
    covered
        Shares that working exit orders and stops at the broker would sell.
    is_waiting
        An entry proposal is staged, or an entry order works.
    is_broker_behind
        More orders of the whole desk wait for the broker's answer than allowed (EX-15).
    risk_per_trade, max_notional
        USD; None if it needs an equity that is unknown.
    min_notional
        USD of the smallest order.
    conditions
        Further inputs of a size, computed only when there is something to size (RK-10).
    flat_from
        Bars that start here or later must end flat, UTC.
    venue
        The venue of its session, whose clock is used in texts.
    """

    session: Session
    window_first: datetime
    window_last: datetime
    flat_from: datetime
    entries_allowed: int
    venue: Venue
    is_enabled: bool = True
    is_paused: bool = False
    is_day_disabled: bool = False
    entries_filled: int = 0
    held: Quantity = NO_SHARES
    entry_price: Price | None = None
    entered_at: datetime | None = None
    recommendation: Recommendation | None = None
    covered: Quantity = NO_SHARES
    is_waiting: bool = False
    is_broker_behind: bool = False
    risk_per_trade: Money | None = None
    max_notional: Money | None = None
    min_notional: Decimal = ZERO
    conditions: Callable[[], Conditions] = Conditions
