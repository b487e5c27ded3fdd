"""A closed trade, as the protections count it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.model.position import Ended, Trade
from core.model.signal import ExitReason
from core.model.values import Fraction, Money, Symbol

RATIO_PLACES = Decimal("1E-10")
"""Profit ratios are rounded to it once, so that sums of them are exact in any order."""

STOP_OUTS = frozenset({ExitReason.STOP_LOSS, ExitReason.TRAILING_STOP})
"""Exits by a stop; if such a trade made money, `required_profit` decides whether it counts."""


class Direction(StrEnum):
    """Direction of a position."""

    LONG = "long"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """One trade from open to flat.

    Attributes
    ----------
    ratio
        Profit as a share of the opening cost (long) or proceeds (short): -0.003.
    profit
        USD; None if only the ratio is known.
    is_shadow
        Not sent: the trade that a refused entry would have made.
    """

    symbol: Symbol
    direction: Direction
    opened_at: datetime
    closed_at: datetime
    ratio: Fraction
    exit_reason: ExitReason
    profit: Money | None = None
    strategy: str = ""
    is_shadow: bool = False

    @property
    def is_stop_out(self) -> bool:
        return self.exit_reason in STOP_OUTS


def direction_of(over: Ended) -> Direction:
    return Direction.LONG if over.is_long else Direction.SHORT


def closed(trade: Trade, direction: Direction) -> ClosedTrade:
    """Convert a trade of the books; a trade with zero cost has a ratio of zero.

    If an earlier exit failed, the reason is the exit's original one: a stop-out still counts as one (RK-05).
    """
    staked = trade.entry_cost
    return ClosedTrade(
        symbol=trade.symbol,
        direction=direction,
        opened_at=trade.entry_time,
        closed_at=trade.exit_time,
        ratio=ratio_of(trade.profit / staked if staked else Decimal(0)),
        exit_reason=trade.meant or trade.exit_reason,
        profit=trade.profit,
        strategy=trade.strategy,
    )


def ratio_of(ratio: Decimal) -> Fraction:
    return Fraction(ratio.quantize(RATIO_PLACES))
